package main

import (
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
	"golang.org/x/tools/go/types/typeutil"
)

// What a program can ask of AWS is derived from its source, without running it. The walk
// starts at main and the inits, and follows every call, every function that is taken as a
// value, and every method that an interface can lead to: of all types that reachable code
// makes an interface of (rapid type analysis). Reflection is not followed.
//
// It does not follow code that only knows our types by their interfaces, the standard library
// foremost: in there every io.Writer could be any other and each program would reach
// everything. Instead each method that such code could know by an interface it declares is
// taken for called. Nor does it follow what the AWS SDK does below an operation or to find
// credentials: that needs no rights of the role it finds.

const (
	awsSDK    = "github.com/aws/aws-sdk-go-v2/"
	rdsTokens = awsSDK + "feature/rds/auth.BuildAuthToken"
)

// opaque is code that is followed by its interfaces only.
func opaque(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	switch {
	case !strings.Contains(first, "."):
		return first != "bourse"
	case strings.HasPrefix(path, awsSDK):
		return !strings.HasPrefix(path, awsSDK+"feature/s3/") && (!strings.HasPrefix(path, awsSDK+"service/") || strings.Contains(path, "/internal/"))
	}
	return strings.HasPrefix(path, "modernc.org/") || // SQLite, translated from C
		strings.HasPrefix(path, "github.com/aws/smithy-go")
}

// A program is the source of some commands.
type program struct {
	ssa     *ssa.Program
	mains   []*ssa.Package
	outside map[string][]*types.Signature // methods of all interfaces of opaque code
}

// loadCommands reads commands of a module; overlay replaces files of it.
func loadCommands(dir string, overlay map[string][]byte, patterns ...string) (*program, error) {
	config := &packages.Config{Mode: packages.LoadAllSyntax, Dir: dir, Overlay: overlay, Env: append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")}
	loaded, err := packages.Load(config, patterns...)
	if err != nil {
		return nil, err
	}
	for p := range packages.Postorder(loaded) {
		for _, err := range p.Errors {
			return nil, err
		}
	}
	p := &program{outside: map[string][]*types.Signature{}}
	p.ssa, p.mains = ssautil.AllPackages(loaded, ssa.InstantiateGenerics)
	for _, of := range p.ssa.AllPackages() {
		if opaque(of.Pkg.Path()) {
			p.addOutside(of.Pkg)
		} else {
			of.Build()
		}
	}
	p.addInterface(types.Universe.Lookup("error").Type())
	return p, nil
}

func (p *program) addOutside(of *types.Package) {
	for _, name := range of.Scope().Names() {
		if declared, ok := of.Scope().Lookup(name).(*types.TypeName); ok {
			p.addInterface(declared.Type())
		}
	}
}

func (p *program) addInterface(t types.Type) {
	described, ok := t.Underlying().(*types.Interface)
	if !ok {
		return
	}
	for method := range described.Methods() {
		p.outside[method.Name()] = append(p.outside[method.Name()], method.Signature())
	}
}

// A walk is what can be reached in one command.
type walk struct {
	*program
	seen    map[*ssa.Function]*ssa.Function // what is reached, from where
	next    []*ssa.Function
	boxed   typeutil.Map // concrete types that are made an interface of
	invoked map[*types.Func]bool
	calls   map[string]*ssa.Function // an operation, as s3.PutObject, to who calls it
}

// calls are the operations of AWS that a command can ask for, as s3.PutObject, each with a
// function of ours that leads to it.
func (p *program) calls(command string) map[string]string {
	w := &walk{program: p, seen: map[*ssa.Function]*ssa.Function{}, invoked: map[*types.Func]bool{}, calls: map[string]*ssa.Function{}}
	for _, main := range p.mains {
		if main.Pkg.Path() == command {
			w.reach(nil, main.Func("main"))
			w.reachInits(main.Pkg, map[*types.Package]bool{})
		}
	}
	for len(w.next) > 0 {
		at := w.next[0]
		w.next = w.next[1:]
		w.follow(at)
	}
	found := map[string]string{}
	for operation, by := range w.calls {
		found[operation] = w.ours(by)
	}
	return found
}

// ours climbs from a library to the function of ours that led there.
func (w *walk) ours(f *ssa.Function) string {
	for at := f; at != nil; at = w.seen[at] {
		if of := home(at); of != nil && strings.HasPrefix(of.Pkg.Path(), "bourse/") {
			return at.String()
		}
	}
	return f.String()
}

// reachInits takes those of the packages that the command imports, and of no other command.
func (w *walk) reachInits(of *types.Package, seen map[*types.Package]bool) {
	if seen[of] {
		return
	}
	seen[of] = true
	if built := w.ssa.Package(of); built != nil && !opaque(of.Path()) {
		w.reach(nil, built.Func("init"))
	}
	for _, imported := range of.Imports() {
		w.reachInits(imported, seen)
	}
}

func (w *walk) reach(from, to *ssa.Function) {
	if to == nil {
		return
	}
	if name := operation(to); name != "" {
		if w.calls[name] == nil {
			w.calls[name] = from
		}
		return
	}
	if at := home(to); at != nil && opaque(at.Pkg.Path()) {
		return
	}
	if _, seen := w.seen[to]; seen {
		return
	}
	w.seen[to] = from
	w.next = append(w.next, to)
}

// home is the package that a function is written in; wrappers have none.
func home(f *ssa.Function) *ssa.Package {
	if f.Origin() != nil {
		f = f.Origin()
	}
	return f.Pkg
}

// operation names the call of AWS that a function is: a method of a service's client that
// takes a context and an input.
func operation(f *ssa.Function) string {
	object, ok := f.Object().(*types.Func)
	if !ok || object.Pkg() == nil {
		return ""
	}
	if object.FullName() == rdsTokens {
		return "rds.BuildAuthToken"
	}
	service, isService := strings.CutPrefix(object.Pkg().Path(), awsSDK+"service/")
	receiver := object.Signature().Recv()
	if !isService || strings.Contains(service, "/") || receiver == nil || !object.Exported() || object.Signature().Params().Len() != 3 {
		return ""
	}
	if pointer, ok := receiver.Type().(*types.Pointer); !ok || pointer.Elem().(*types.Named).Obj().Name() != "Client" {
		return ""
	}
	return service + "." + object.Name()
}

func (w *walk) follow(f *ssa.Function) {
	for _, block := range f.Blocks {
		for _, instruction := range block.Instrs {
			if made, ok := instruction.(*ssa.MakeInterface); ok {
				if len(*made.Referrers()) == 0 || w.isRecipe(f, made) {
					continue // as var _ fs.FS = &Bucket{}: the compiler looks at it, and nobody else
				}
				w.box(f, made.X.Type())
			}
			if call, ok := instruction.(ssa.CallInstruction); ok && call.Common().IsInvoke() {
				w.invoke(f, call.Common().Method)
			}
			for _, operand := range instruction.Operands(nil) {
				if value, ok := (*operand).(*ssa.Function); ok {
					w.reach(f, value)
				}
			}
		}
	}
}

// isRecipe sees the functions that a package lists for github.com/google/wire, which writes
// code that calls them. There is none of it here.
func (w *walk) isRecipe(f *ssa.Function, made *ssa.MakeInterface) bool {
	_, isFunction := made.X.(*ssa.Function)
	return isFunction && f.Name() == "init" && slices.ContainsFunc(f.Pkg.Pkg.Imports(), func(p *types.Package) bool { return p.Path() == "github.com/google/wire" })
}

// invoke reaches a method by its interface: in all types so far that have it.
func (w *walk) invoke(from *ssa.Function, method *types.Func) {
	if w.invoked[method] {
		return
	}
	w.invoked[method] = true
	w.boxed.Iterate(func(boxed types.Type, _ any) { w.reachMethod(from, boxed, method) })
}

// box makes a type one that interfaces can lead to.
func (w *walk) box(from *ssa.Function, boxed types.Type) {
	if w.boxed.At(boxed) != nil || types.IsInterface(boxed) {
		return
	}
	w.boxed.Set(boxed, true)
	for method := range w.invoked {
		w.reachMethod(from, boxed, method)
	}
	for selection := range w.ssa.MethodSets.MethodSet(boxed).Methods() {
		method := selection.Obj().(*types.Func)
		if slices.ContainsFunc(w.outside[method.Name()], func(s *types.Signature) bool { return sameShape(s, method.Signature()) }) {
			w.reach(from, w.ssa.MethodValue(selection))
		}
	}
}

func (w *walk) reachMethod(from *ssa.Function, boxed types.Type, method *types.Func) {
	described, ok := method.Signature().Recv().Type().Underlying().(*types.Interface)
	if !ok || !types.Implements(boxed, described) {
		return
	}
	w.reach(from, w.ssa.LookupMethod(boxed, method.Pkg(), method.Name()))
}

func sameShape(one, other *types.Signature) bool {
	return types.Identical(one.Params(), other.Params()) && types.Identical(one.Results(), other.Results())
}

// commands are those that roles are for.
var commands = sync.OnceValues(func() (*program, error) {
	return loadCommands("../..", nil, "./cmd/api", "./cmd/ingest", "./cmd/ingest-lambda", "./cmd/migrate")
})

// TestCalls sees that the walk follows what Go offers: interfaces, closures, method values,
// goroutines, generics; and that what is not called is not found.
func TestCalls(t *testing.T) {
	t.Parallel()
	const source = `package main

import (
	"context"
	"io"

	"bourse/internal/archive"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

type reader interface {
	Read(ctx context.Context, key string) ([]byte, error)
}

type body struct{ client *s3.Client }

func (b body) Read([]byte) (int, error) { // known to io.ReadAll as an io.Reader only
	_, err := b.client.HeadObject(context.Background(), nil)
	return 0, err
}

func (b body) Never(ctx context.Context) { b.client.DeleteBucket(ctx, nil) }

func each[T any](do func(T), with T) { do(with) }

func main() {
	a, _ := archive.Open(context.Background(), "")
	var r reader = a
	go func() { r.Read(context.Background(), "") }()
	b := body{s3.New(s3.Options{})}
	io.ReadAll(b)
	remove := b.client.DeleteObject
	each(func(ctx context.Context) { remove(ctx, nil) }, context.Background())
}
`
	path, err := filepath.Abs("../../cmd/migrate/main.go")
	if err != nil {
		t.Fatal(err)
	}
	p, err := loadCommands("../..", map[string][]byte{path: []byte(source)}, "./cmd/migrate")
	if err != nil {
		t.Fatal(err)
	}
	found := p.calls("bourse/cmd/migrate")
	for operation, called := range map[string]bool{
		"s3.GetObject": true, "s3.HeadObject": true, "s3.DeleteObject": true,
		"s3.DeleteBucket": false, "s3.PutObject": false, "s3.ListObjectsV2": false, "rds.BuildAuthToken": false,
	} {
		if (found[operation] != "") != called {
			t.Errorf("%s: found is %t, want %t; all that was found is %v", operation, !called, called, slices.Sorted(maps.Keys(found)))
		}
	}
}
