// Command probe says which addresses it reaches: a pod of a drill.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"
)

// settled is how long a new pod waits until its policies are known everywhere.
const settled = 8 * time.Second

func main() {
	time.Sleep(settled)
	for _, address := range os.Args[1:] {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		cancel()
		if err == nil {
			err = conn.Close()
		}
		if _, err := fmt.Fprintln(os.Stdout, address, err == nil); err != nil {
			return // nobody listens
		}
	}
}
