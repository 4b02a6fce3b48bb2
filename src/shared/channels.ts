// Names of the IPC channels: the only part of the contract that the preload sees at run time.
export const CALL_CHANNEL = 'aside:call'
export const PUSH_CHANNEL = 'aside:push'
