// The clients that fit what is typed, pure.

/** More would be a list to read, not to choose from. */
const MAX_SUGGESTIONS = 8

function plain(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}

/** Those that begin with it first, then those in which a word does, then the others that hold it. */
export function suggestClients(clients: readonly string[], typed: string): string[] {
  const wanted = plain(typed.trim())
  const rank = (client: string): number => {
    const at = plain(client).indexOf(wanted)
    return at <= 0 ? at : /[\p{L}\p{N}]/u.test(plain(client).charAt(at - 1)) ? 2 : 1
  }
  return clients
    .map((client) => ({ client, rank: rank(client) }))
    .filter((one) => one.rank >= 0)
    .sort((a, b) => a.rank - b.rank)
    .map((one) => one.client)
    .slice(0, MAX_SUGGESTIONS)
}
