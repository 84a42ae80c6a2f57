package api

import "sync"

// cache keeps replies that come from the store and the request alone, for as long as
// the store does not change. It is emptied when it is full: what is asked often is
// back at once.
type cache struct {
	mu      sync.RWMutex
	version int64 // of the store
	size    int
	replies map[string]*reply
}

const (
	maxCache  = 16 << 20 // bytes
	maxCached = 1 << 20  // bytes of one reply
	perReply  = 1 << 10  // bytes that a reply has besides its body
)

// get returns the reply to a request at a version of the store, or nil.
func (c *cache) get(version int64, key string) *reply {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.version != version {
		return nil
	}
	return c.replies[key]
}

// old returns the reply to a request at the last version of the store that is known, or nil.
func (c *cache) old(key string) *reply {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.replies[key]
}

// put keeps a reply that was made from a version of the store or a later one.
func (c *cache) put(version int64, key string, p *reply) {
	size := len(key) + perReply + 2*len(p.body) // with its compressed form
	if size > maxCached {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != version || c.replies == nil || c.size+size > maxCache {
		c.version, c.size, c.replies = version, 0, map[string]*reply{}
	}
	if c.replies[key] == nil {
		c.replies[key] = p
		c.size += size
	}
}
