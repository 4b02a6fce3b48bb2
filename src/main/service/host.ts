// The port of the embedded AI service's process: an Electron utility process in the app, a child process in tests.

export interface ServiceDoors {
  /** `host:port` on loopback. */
  readonly grpc: string
  readonly http: string
}

export interface ServiceProcess {
  /** Resolves when it is ready. @throws CopilotError `unavailable` with the service's own sentence when it did not start. */
  readonly ready: Promise<ServiceDoors>
  /** Resolves when the process has gone, for whatever reason. */
  readonly exited: Promise<void>
  /** Drains and stops it; killed when it takes longer than `graceMs`. */
  stop(graceMs: number): Promise<void>
}

export interface ServiceHost {
  start(env: Readonly<Record<string, string>>): ServiceProcess
}
