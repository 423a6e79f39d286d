/** How to start and stop the control plane of one node. */
export type ComponentState = 'running' | 'stopped';

/** One component on one node. A repeated `start` or `stop` changes nothing. */
export interface Component {
  /** For example `etcd` or `kube-apiserver`. */
  readonly name: string;
  status(signal: AbortSignal): Promise<ComponentState>;
  /**
   * Returns when the component runs, which is before it answers. Throws `ComponentStuck` if it doesn't run within
   * `deadlineMs`.
   */
  start(signal: AbortSignal, deadlineMs: number): Promise<{ changed: boolean }>;
  /**
   * Returns when the process is gone. Throws `ComponentStuck` if it isn't gone within `deadlineMs`.
   * @param options.restarts whether the component may keep ending and being restarted: it is then stopped even if it
   * seems stopped, since it may be about to restart
   */
  stop(signal: AbortSignal, deadlineMs: number, options?: { restarts?: boolean }): Promise<{ changed: boolean }>;
}

export interface ControlPlane {
  etcd: Component;
  /** Absent for bare etcd. */
  apiServer?: Component;
  /**
   * Present where these components are stopped while kube-apiserver is away: otherwise they would end again and again,
   * and be restarted ever more rarely.
   */
  controllerManager?: Component;
  scheduler?: Component;
}
