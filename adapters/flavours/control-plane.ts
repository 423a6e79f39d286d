/** How the control plane of one node is started and stopped. */
export type ComponentState = 'running' | 'stopped';

/** One component on one node. Asked twice, `start` and `stop` change nothing the second time. */
export interface Component {
  /** As in `etcd` or `kube-apiserver`. */
  readonly name: string;
  status(signal: AbortSignal): Promise<ComponentState>;
  /**
   * Returns when the component runs, which is before it answers. Throws `ComponentStuck` when it doesn't within
   * `deadlineMs`.
   */
  start(signal: AbortSignal, deadlineMs: number): Promise<{ changed: boolean }>;
  /**
   * Returns when the process is gone. Throws `ComponentStuck` when it isn't within `deadlineMs`.
   * @param options.restarts it may be one that ends again and again, and is seen in the moment before it is started
   * anew: it is stopped also when it seems to be
   */
  stop(signal: AbortSignal, deadlineMs: number, options?: { restarts?: boolean }): Promise<{ changed: boolean }>;
}

export interface ControlPlane {
  etcd: Component;
  /** Absent for etcd alone. */
  apiServer?: Component;
  /**
   * Where they are not left to themselves while kube-apiserver is away: they would end again and again, and be started
   * ever more rarely.
   */
  controllerManager?: Component;
  scheduler?: Component;
}
