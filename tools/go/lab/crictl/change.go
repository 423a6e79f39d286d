package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func stopContainers(flags *pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	timeout := flags.Int64P("timeout", "t", 0, "")
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, ids []string) error {
		if len(ids) == 0 {
			return errors.New("you must specify at least one CONTAINER-ID or use --all")
		}
		for _, id := range ids {
			if _, err := runtime.StopContainer(ctx, &cri.StopContainerRequest{ContainerId: id, Timeout: *timeout}); err != nil {
				return fmt.Errorf("stopping the container %q: %w", id, err)
			}
			fmt.Println(id)
		}
		return nil
	}
}

func removeContainers(flags *pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	force := flags.BoolP("force", "f", false, "")
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, ids []string) error {
		if len(ids) == 0 {
			return errors.New("CONTAINER-ID is required, or use --all")
		}
		for _, id := range ids {
			response, err := runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id})
			if err != nil {
				return fmt.Errorf("getting container status: %w", err)
			}
			if response.GetStatus().GetState() == cri.ContainerState_CONTAINER_RUNNING {
				if !*force {
					return fmt.Errorf("container %q is running, please stop it first", id)
				}
				if _, err := runtime.StopContainer(ctx, &cri.StopContainerRequest{ContainerId: id}); err != nil {
					return fmt.Errorf("stopping the container %q: %w", id, err)
				}
			}
			if _, err := runtime.RemoveContainer(ctx, &cri.RemoveContainerRequest{ContainerId: id}); err != nil {
				return fmt.Errorf("removing the container %q: %w", id, err)
			}
			fmt.Println(id)
		}
		return nil
	}
}

func stopPods(*pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, ids []string) error {
		if len(ids) == 0 {
			return errors.New("you must specify at least one POD-ID or use --all")
		}
		for _, id := range ids {
			if err := stopPod(ctx, runtime, id); err != nil {
				return err
			}
		}
		return nil
	}
}

func removePods(flags *pflag.FlagSet) func(context.Context, cri.RuntimeServiceClient, []string) error {
	force := flags.BoolP("force", "f", false, "")
	return func(ctx context.Context, runtime cri.RuntimeServiceClient, ids []string) error {
		if len(ids) == 0 {
			return errors.New("POD-ID is required, or use --all")
		}
		for _, id := range ids {
			response, err := runtime.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: id})
			if err != nil {
				return fmt.Errorf("getting sandbox status of pod %q: %w", id, err)
			}
			if response.GetStatus().GetState() == cri.PodSandboxState_SANDBOX_READY {
				if !*force {
					return fmt.Errorf("pod sandbox %q is running, please stop it first", id)
				}
				if err := stopPod(ctx, runtime, id); err != nil {
					return err
				}
			}
			if _, err := runtime.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id}); err != nil {
				return fmt.Errorf("removing the pod sandbox %q: %w", id, err)
			}
			fmt.Printf("Removed sandbox %s\n", id)
		}
		return nil
	}
}

func stopPod(ctx context.Context, runtime cri.RuntimeServiceClient, id string) error {
	if _, err := runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: id}); err != nil {
		return fmt.Errorf("stopping the pod sandbox %q: %w", id, err)
	}
	fmt.Printf("Stopped sandbox %s\n", id)
	return nil
}
