package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	podNameLabel      = "io.kubernetes.pod.name"
	podNamespaceLabel = "io.kubernetes.pod.namespace"
)

// listFlags are the flags that ps and pods share.
type listFlags struct {
	id, name, namespace, state, output *string
	labels                             *[]string
	quiet, latest, wholeIDs            *bool
	last                               *int
}

func newListFlags(flags *pflag.FlagSet) listFlags {
	return listFlags{
		id:        flags.String("id", "", ""),
		name:      flags.String("name", "", ""),
		namespace: flags.String("namespace", "", ""),
		state:     flags.StringP("state", "s", "", ""),
		labels:    flags.StringSlice("label", nil, ""),
		quiet:     flags.BoolP("quiet", "q", false, ""),
		latest:    flags.BoolP("latest", "l", false, ""),
		last:      flags.IntP("last", "n", 0, ""),
		wholeIDs:  flags.Bool("no-trunc", false, ""),
		output:    flags.StringP("output", "o", "table", ""),
	}
}

func (options listFlags) selector() (map[string]string, error) {
	selector := map[string]string{}
	for _, label := range *options.labels {
		key, value, found := strings.Cut(label, "=")
		if !found {
			return nil, fmt.Errorf("incorrectly specified label: %v", label)
		}
		selector[key] = value
	}
	return selector, nil
}

// patterns returns the filter by name and namespace; both are regular expressions that may match anywhere.
func (options listFlags) patterns() (func(name, namespace string) bool, error) {
	name, err := regexp.Compile(*options.name)
	if err != nil {
		return nil, err
	}
	namespace, err := regexp.Compile(*options.namespace)
	if err != nil {
		return nil, err
	}
	return func(itsName, itsNamespace string) bool {
		return name.MatchString(itsName) && namespace.MatchString(itsNamespace)
	}, nil
}

// truncated shortens an ID for a table.
func (options listFlags) truncated(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	if *options.wholeIDs {
		return id
	}
	return id[:min(13, len(id))]
}

// newest sorts by age, youngest first, and keeps the requested number.
func newest[T interface{ GetCreatedAt() int64 }](options listFlags, items []T) []T {
	slices.SortFunc(items, func(a, b T) int { return cmp.Compare(b.GetCreatedAt(), a.GetCreatedAt()) })
	switch {
	case *options.latest:
		return items[:min(1, len(items))]
	case *options.last > 0:
		return items[:min(*options.last, len(items))]
	}
	return items
}

func listContainers(flags *pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	options := newListFlags(flags)
	all := flags.BoolP("all", "a", false, "")
	pod := flags.StringP("pod", "p", "", "")
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, _ []string) error {
		filter := &cri.ContainerFilter{Id: *options.id, PodSandboxId: *pod}
		var err error
		if filter.LabelSelector, err = options.selector(); err != nil {
			return err
		}
		wanted := strings.ToUpper(*options.state)
		if wanted == "" && !*all {
			wanted = "RUNNING"
		}
		if wanted != "" && !*options.latest && *options.last == 0 {
			state, known := cri.ContainerState_value["CONTAINER_"+wanted]
			if !known {
				return fmt.Errorf("listing containers: list containers: --state should be one of created, running, exited or unknown")
			}
			filter.State = &cri.ContainerStateValue{State: cri.ContainerState(state)}
		}
		matches, err := options.patterns()
		if err != nil {
			return err
		}
		response, err := runtime.ListContainers(ctx, &cri.ListContainersRequest{Filter: filter})
		if err != nil {
			return fmt.Errorf("listing containers: %w", err)
		}
		containers := newest(options, slices.DeleteFunc(response.Containers, func(container *cri.Container) bool {
			return !matches(container.GetMetadata().GetName(), container.Labels[podNamespaceLabel])
		}))
		rows := [][]string{{"CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"}}
		ids := []string{}
		for _, container := range containers {
			ids = append(ids, container.Id)
			rows = append(rows, []string{
				options.truncated(container.Id),
				options.truncated(container.GetImage().GetImage()),
				age(container.CreatedAt),
				titled(container.State.String(), "CONTAINER_"),
				container.GetMetadata().GetName(),
				fmt.Sprint(container.GetMetadata().GetAttempt()),
				options.truncated(container.PodSandboxId),
				container.Labels[podNameLabel],
				container.Labels[podNamespaceLabel],
			})
		}
		return printList(*options.output, *options.quiet, ids, rows, &cri.ListContainersResponse{Containers: containers})
	}
}

func listPods(flags *pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	options := newListFlags(flags)
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, _ []string) error {
		filter := &cri.PodSandboxFilter{Id: *options.id}
		var err error
		if filter.LabelSelector, err = options.selector(); err != nil {
			return err
		}
		if *options.state != "" {
			state, known := cri.PodSandboxState_value["SANDBOX_"+strings.ToUpper(*options.state)]
			if !known {
				return fmt.Errorf("listing pod sandboxes: list pod sandboxes: --state should be ready or notready")
			}
			filter.State = &cri.PodSandboxStateValue{State: cri.PodSandboxState(state)}
		}
		matches, err := options.patterns()
		if err != nil {
			return err
		}
		response, err := runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{Filter: filter})
		if err != nil {
			return fmt.Errorf("listing pod sandboxes: %w", err)
		}
		pods := newest(options, slices.DeleteFunc(response.Items, func(pod *cri.PodSandbox) bool {
			return !matches(pod.GetMetadata().GetName(), pod.GetMetadata().GetNamespace())
		}))
		rows := [][]string{{"POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"}}
		ids := []string{}
		for _, pod := range pods {
			ids = append(ids, pod.Id)
			state := "Ready"
			if pod.State == cri.PodSandboxState_SANDBOX_NOTREADY {
				state = "NotReady"
			}
			handler := pod.RuntimeHandler
			if handler == "" {
				handler = "(default)"
			}
			metadata := pod.GetMetadata()
			rows = append(rows, []string{
				options.truncated(pod.Id), age(pod.CreatedAt), state, metadata.GetName(), metadata.GetNamespace(),
				fmt.Sprint(metadata.GetAttempt()), handler,
			})
		}
		return printList(*options.output, *options.quiet, ids, rows, &cri.ListPodSandboxResponse{Items: pods})
	}
}
