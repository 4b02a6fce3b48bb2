// Is this host this very machine? Decides about proxies, and whether a token may travel without TLS.

/** Takes `host`, `host:port` or `[v6]:port`. Names other than `localhost` are never trusted to be local. */
export function isLoopback(target: string): boolean {
  const host = target.startsWith('[') ? target.slice(1, target.indexOf(']')) : target.split(':').length > 2 ? target : (target.split(':')[0] ?? '')
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
