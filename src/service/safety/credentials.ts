// Finds credentials in text: keys of cloud and model providers, tokens, private keys, passwords in addresses. They leave
// neither in a question to a provider nor in an answer. Patterns are those that the issuers document. Pure.

const patterns: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
  {
    kind: 'private key',
    pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----|$)/g
  },
  { kind: 'AWS key', pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g },
  {
    kind: 'AWS secret',
    pattern: /(?<=\baws_?(?:secret_?access_?)?(?:secret)?_?key(?:_id)?["']?\s{0,3}[:=]\s{0,3}["']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/gi
  },
  { kind: 'Anthropic key', pattern: /\bsk-ant-[A-Za-z0-9_-]{20,}/g },
  { kind: 'OpenAI key', pattern: /\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}/g },
  { kind: 'Google key', pattern: /\bAIza[A-Za-z0-9_-]{35}\b/g },
  { kind: 'GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})/g },
  { kind: 'GitLab token', pattern: /\bglpat-[A-Za-z0-9_-]{20,}/g },
  { kind: 'Slack token', pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}/g },
  { kind: 'Stripe key', pattern: /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/g },
  { kind: 'signed token', pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g },
  { kind: 'Azure key', pattern: /(?<=\b(?:AccountKey|SharedAccessKey|sig)=)[A-Za-z0-9+/%]{32,}={0,2}/g },
  { kind: 'password', pattern: /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{0,64}:)[^\s:@/]{3,128}(?=@[^\s@]+)/gi },
  {
    kind: 'password',
    pattern:
      /(?<=\b(?:password|passwd|pwd|passwort|mot de passe|contraseña|client_secret|api[_-]?key|access[_-]?token)["']?\s{0,3}[:=]\s{0,3}["']?)(?![<{$*[])(?=[^\s"',;]{0,128}\d)[^\s"',;]{6,128}/giu
  }
]

export interface Masked {
  readonly text: string
  /** Kinds that were found, in order of the patterns. */
  readonly kinds: readonly string[]
}

/** The text with each credential replaced by its kind in brackets. Idempotent. */
export function maskCredentials(text: string): Masked {
  const kinds: string[] = []
  let masked = text
  for (const { kind, pattern } of patterns) {
    masked = masked.replace(pattern, (match) => {
      if (match.startsWith('[')) return match
      kinds.push(kind)
      return `[${kind} removed]`
    })
  }
  return { text: masked, kinds }
}
