package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

type inspectFlags struct {
	output, template *string
	quiet            *bool
}

func newInspectFlags(flags *pflag.FlagSet) inspectFlags {
	return inspectFlags{
		output:   flags.StringP("output", "o", "json", ""),
		template: flags.String("template", "", ""),
		quiet:    flags.BoolP("quiet", "q", false, ""),
	}
}

func (options inspectFlags) print(results []map[string]any) error {
	// One result is printed alone, several as an array.
	if len(results) == 1 {
		return printValue(*options.output, *options.template, results[0])
	}
	return printValue(*options.output, *options.template, results)
}

// unfold adds what the runtime reports besides the status; a part that is JSON is not left in quotes.
func unfold(result map[string]any, info map[string]string) error {
	for key, text := range info {
		if !strings.HasPrefix(text, "{") {
			result[key] = strings.Trim(text, `"`)
			continue
		}
		var value map[string]any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return fmt.Errorf("unmarshal status info JSON: %w", err)
		}
		result[key] = value
	}
	return nil
}

// timeOf is the zero time for an event that has not happened.
func timeOf(nanoseconds int64) string {
	if nanoseconds == 0 {
		return time.Time{}.Format(time.RFC3339Nano)
	}
	return time.Unix(0, nanoseconds).Format(time.RFC3339Nano)
}

func inspectContainers(flags *pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	options := newInspectFlags(flags)
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, ids []string) error {
		if len(ids) == 0 {
			return errors.New("ID cannot be empty")
		}
		results := []map[string]any{}
		for _, id := range ids {
			response, err := runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id, Verbose: !*options.quiet})
			if err != nil {
				return fmt.Errorf("get the status of containers: get container status: %w", err)
			}
			status, err := valueOf(response.Status)
			if err != nil {
				return err
			}
			status["createdAt"] = timeOf(response.Status.GetCreatedAt())
			status["startedAt"] = timeOf(response.Status.GetStartedAt())
			status["finishedAt"] = timeOf(response.Status.GetFinishedAt())
			result := map[string]any{"status": status}
			if err := unfold(result, response.Info); err != nil {
				return err
			}
			results = append(results, result)
		}
		return options.print(results)
	}
}

func inspectPods(flags *pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	options := newInspectFlags(flags)
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, ids []string) error {
		if len(ids) == 0 {
			return errors.New("ID cannot be empty")
		}
		results := []map[string]any{}
		for _, id := range ids {
			response, err := runtime.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: id, Verbose: !*options.quiet})
			if err != nil {
				return fmt.Errorf("get the status of pod sandboxes: get pod sandbox status: %w", err)
			}
			status, err := valueOf(response.Status)
			if err != nil {
				return err
			}
			status["createdAt"] = timeOf(response.Status.GetCreatedAt())
			result := map[string]any{"status": status}
			if err := unfold(result, response.Info); err != nil {
				return err
			}
			results = append(results, result)
		}
		return options.print(results)
	}
}

func showInfo(flags *pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	options := newInspectFlags(flags)
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, _ []string) error {
		response, err := runtime.Status(ctx, &cri.StatusRequest{Verbose: !*options.quiet})
		if err != nil {
			return fmt.Errorf("getting status of runtime: %w", err)
		}
		status, err := valueOf(response.Status)
		if err != nil {
			return err
		}
		result := map[string]any{"status": status}
		if err := unfold(result, response.Info); err != nil {
			return err
		}
		return options.print([]map[string]any{result})
	}
}

func showVersion(*pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, _ []string) error {
		response, err := runtime.Version(ctx, &cri.VersionRequest{Version: "v1"})
		if err != nil {
			return fmt.Errorf("getting the runtime version: %w", err)
		}
		// The real one has two spaces after the colon.
		fmt.Println("Version: ", response.Version)
		fmt.Println("RuntimeName: ", response.RuntimeName)
		fmt.Println("RuntimeVersion: ", response.RuntimeVersion)
		fmt.Println("RuntimeApiVersion: ", response.RuntimeApiVersion)
		return nil
	}
}
