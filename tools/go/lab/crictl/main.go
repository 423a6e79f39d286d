// Command crictl imitates the crictl of cri-tools as far as the lab's nodes need it: the same verbs, flags, output and
// exit statuses. cri-tools is on no Go module proxy, so it can't be built the way the other binaries are.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const defaultEndpoint = "unix:///run/containerd/containerd.sock"

// verb is one command: it defines its flags, and returns the function that runs once they are parsed.
type verb func(flags *pflag.FlagSet) func(ctx context.Context, runtime cri.RuntimeServiceClient, args []string) error

var verbs = map[string]verb{
	"ps":       listContainers,
	"pods":     listPods,
	"inspect":  inspectContainers,
	"inspectp": inspectPods,
	"info":     showInfo,
	"version":  showVersion,
	"stop":     stopContainers,
	"rm":       removeContainers,
	"stopp":    stopPods,
	"rmp":      removePods,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "FATA[0000] %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	global := newFlags("crictl")
	endpoint := global.StringP("runtime-endpoint", "r", os.Getenv("CONTAINER_RUNTIME_ENDPOINT"), "")
	global.StringP("image-endpoint", "i", "", "")
	timeout := global.DurationP("timeout", "t", 2*time.Second, "")
	if err := global.Parse(args); err != nil {
		return err
	}
	if *endpoint == "" {
		*endpoint = defaultEndpoint
	}
	define, known := verbs[global.Arg(0)]
	if !known {
		return fmt.Errorf("no help topic for %q: this crictl knows ps, pods, inspect, inspectp, info, version, stop, rm, stopp and rmp", global.Arg(0))
	}
	flags := newFlags(global.Arg(0))
	act := define(flags)
	if err := flags.Parse(global.Args()[1:]); err != nil {
		return err
	}
	connection, err := grpc.NewClient(*endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	runtime := cri.NewRuntimeServiceClient(connection)
	if err := check(runtime, *endpoint, *timeout); err != nil {
		return err
	}
	return act(context.Background(), runtime, flags.Args())
}

// newFlags accepts flags only before the first argument, like the real one.
func newFlags(name string) *pflag.FlagSet {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	flags.SetInterspersed(false)
	flags.SetOutput(io.Discard)
	return flags
}

// check distinguishes a runtime that can't be reached from one that refuses the request.
func check(runtime cri.RuntimeServiceClient, endpoint string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if _, err := runtime.Version(ctx, &cri.VersionRequest{Version: "v1"}); err != nil {
		return fmt.Errorf("validate service connection: validate CRI v1 runtime API for endpoint %q: %w", endpoint, err)
	}
	return nil
}
