// Command pause holds the namespaces of a pod: it does nothing until it is told to end.
package main

import (
	"context"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// Without a handler the kernel reaps the processes that are left to this one.
	signal.Ignore(syscall.SIGCHLD)
	<-ctx.Done()
}
