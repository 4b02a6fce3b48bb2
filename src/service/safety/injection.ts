// Retrieved text is data. This looks for text in it that speaks to the model instead of to the reader, and takes away what
// only a model would see: hidden characters, look-alike markup of prompts. Pure; measured on a corpus of attacks.
//
// It is one layer: the prompt fences passages as data, the output filter takes away what could carry data out, and tools
// are never called because a passage says so. See OWASP LLM01 and "spotlighting" (Hines et al., 2024).

export interface InjectionReport {
  /** The text as a model may see it. */
  readonly text: string
  /** What was found, for the audit log: names of rules, never the text. */
  readonly rules: readonly string[]
  /** True: leave the passage out. */
  readonly isAttack: boolean
}

/** What a reader does not see and no script needs: zero width spaces, the hidden tag alphabet, bidi controls, fillers. */
const HIDDEN = /[\u00AD\u115F\u1160\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\u3164\uFEFF\uFFA0]|[\u{E0000}-\u{E007F}]/gu
/** Joiners and variation selectors, which Persian, Hindi and emoji need; between Latin letters they only break up words. */
const JOINERS = /\u034F|\u061C|\u17B4|\u17B5|\u200C|\u200D|\p{Variation_Selector}/gu
/** More than a few hidden letters are a message of their own. */
const TAG_LETTERS = /[\u{E0020}-\u{E007E}]{4,}/u

/** Look-alikes of Latin letters, as far as attacks use them. */
const LOOKALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  'аеорсухіѕјԁһӏтмкв'.split('').map((sign, index) => [sign, 'aeopcyxisjdhltmkb'.charAt(index)])
)
const LEET: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's' }

/** Markup by which chat models tell roles apart; in a document it can only be meant for a model. */
const ROLE_MARKUP =
  /<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id)\|>|\[\/?INST\]|<<\/?SYS>>|<\/?(?:system|assistant)>|^\s*#{2,}\s*(?:system|instruction)s?\s*(?:prompt|message)?\s*:?\s*$/gimu
const CODE = /```[^`]*```|`[^`\n]*`/g
const ROLE_LINE = /^\s*(?:system|assistant|human|developer)\s*(?:message|prompt)?\s*:\s*\S/imu

interface Rule {
  readonly name: string
  /** 2 alone is an attack; two of 1 together are. */
  readonly weight: 1 | 2
  readonly pattern: RegExp
}

const OVERRIDE_VERB =
  '(?:ignor\\w*|disregard\\w*|forget\\w*|overrid\\w*|bypass\\w*|discard\\w*|do not follow|stop following|vergiss|ignorier\\w*|missachte\\w*|oublie[rz]?|ignore[rz]?|ignora\\w*|olvida\\w*|desatiende|dimentica\\w*|esque[çc]a|vergeet|negeer)'
const EARLIER =
  '(?:(?:all|any|every|the|your|these|those|my|of|die|den|der|alle\\w*|dein\\w*|deine|toutes?|les|tes|vos|todas?|las|tus|sus|tutte|le|tue|todas|as|suas|jouw|uw|andere)\\s+){0,4}(?:(?:previous|prior|above|earlier|preceding|initial|original|existing|former|system|safety|other|vorherige\\w*|bisherige\\w*|obige\\w*|pr[ée]c[ée]dent\\w*|ant[ée]riore?s?|anteriores|previas|precedenti|eerdere|vorige)\\s+){1,3}'
const ORDERS =
  '(?:instruction\\w*|prompts?|directives?|rules?|guidelines?|guardrails|messages?|commands?|orders?|context|anweisung\\w*|regeln|vorgaben|instructions|consignes|r[èe]gles|instrucciones|[óo]rdenes|reglas|istruzioni|regole|instru[çc][õo]es|instructies|regels)'

const rules: readonly Rule[] = [
  { name: 'override', weight: 2, pattern: new RegExp(`\\b${OVERRIDE_VERB}\\s+(?:about\\s+)?${EARLIER}${ORDERS}`, 'iu') },
  {
    name: 'override-reversed',
    weight: 2,
    pattern: new RegExp(
      `\\b${OVERRIDE_VERB}\\s+(?:(?:all|any|the|your|alle|les|toutes|las|todas|tutte|le|as|de|die|deine)\\s+){0,3}${ORDERS}\\s+(?:(?:you|that|which|were|have|been|du|de|die|que|te|given|to|it|pr[ée]c[ée]dentes?|ant[ée]rieures?|anteriores|previas|precedenti)\\b)`,
      'iu'
    )
  },
  {
    name: 'everything-above',
    weight: 2,
    pattern:
      /\b(?:ignore|disregard|forget)\s+(?:everything|anything|all(?:\s+of\s+(?:the|this|that))?|what(?:ever)?)\s+(?:\w+\s+){0,4}?(?:above|before|previously|earlier|prior|so far|said|told)/iu
  },
  {
    name: 'override-cjk',
    weight: 2,
    pattern:
      /(?:忽略|无视|忘记|不要理会|無視|忘れ)(?:.{0,12})(?:指令|指示|提示|规则|命令|プロンプト|ルール)|(?:指示|命令|プロンプト|ルール).{0,8}(?:無視|忘れ)|(?:이전|위의|앞의).{0,10}(?:지시|명령|프롬프트).{0,6}(?:무시|잊)/u
  },
  {
    name: 'override-cyrillic',
    weight: 2,
    pattern: /(?:игнорируй|забудь|не\s+обращай\s+внимания)\S*\s+(?:\S+\s+){0,3}(?:инструкци|указани|правил|команд)/iu
  },
  { name: 'override-arabic', weight: 2, pattern: /(?:تجاهل|انس)\s+(?:\S+\s+){0,3}(?:التعليمات|الأوامر|القواعد)/u },
  {
    name: 'new-identity',
    weight: 2,
    pattern:
      /\b(?:you are (?:now (?:un\w+|free\b|dan\b|in \w+ mode)|no longer (?:an?|bound|restricted))|from now on,? you(?:'re| are| will| must)|act as (?:an? )?(?:dan|unrestricted|jailbroken|evil|root)|pretend (?:to be|you are) (?:an? )?(?:\w+ )?(?:ai|assistant|model|dan)|enter (?:developer|debug|dan|god) mode|(?:developer|dan|god|jailbreak) mode (?:is )?(?:enabled|activated|on)\b|du bist (?:jetzt|ab sofort)|tu es (?:maintenant|désormais)|ahora eres|sei ora)\b/iu
  },
  {
    name: 'reveal',
    weight: 2,
    pattern:
      /\b(?:reveal|repeat|print|show|output|display|leak|disclose|recite|tell me|write out|translate|verrate|gib\w* aus|révèle|affiche|revela|muestra)\b[^.\n]{0,40}\b(?:(?:system|hidden|initial|secret|original|internal)\s+(?:prompt|instructions?|message|rules|directives)|(?:your|deine|tes|tus)\s+(?:(?:system|hidden|initial|secret|exact|full|own)\s+)*(?:prompt|instructions|system\s?prompt|anweisungen|consignes|instrucciones))/iu
  },
  {
    name: 'exfiltrate',
    weight: 2,
    pattern:
      /\b(?:send|post|transmit|forward|upload|exfiltrate|append|e-?mail|include|embed|encode|submit|schicke?|sende|envoie[rz]?|env[íi]a\w*)\b[^.\n]{0,90}\b(?:conversation|chat|history|session|context|secrets?|credentials?|api[ _-]?keys?|passwords?|tokens?|client(?:'s)? (?:name|data)|transcript|system prompt|question)\b[^\n]{0,90}(?:https?:\/\/|\bto\s+(?:\S+@|this (?:url|address|webhook|endpoint))|as (?:a )?(?:query|url) parameter|in the (?:url|link|image))/iu
  },
  {
    name: 'image-exfiltration',
    weight: 2,
    pattern:
      /!\[[^\]]{0,200}\]\(\s{0,9}https?:\/\/[^)\s]{0,500}(?:\{|%7B|<|\$|=\s*(?:data|secret|conversation|history|question|answer|prompt|base64))[^)]{0,500}\)/iu
  },
  {
    name: 'speaks-to-the-model',
    weight: 1,
    pattern:
      /\b(?:(?:note|message|instructions?|attention|important|notice|hinweis|directive)\s+(?:to|for)\s+(?:the\s+|any\s+|all\s+)?(?:ai|llms?|(?:language\s+)?models?|assistants?|chat ?bots?|copilots?|gpt\S*|ki|agents?)\b|(?:dear|hey|hello|attention|hi),?\s+(?:ai|llm|assistant|copilot|chatgpt|claude|gemini|language model)\b|if you are an? (?:ai|llm|language model|assistant)|as an ai (?:model|assistant)[^.]{0,30}you (?:must|should|will)|ai (?:assistant|agent|model)s? (?:reading|processing|summari[sz]ing) this)/iu
  },
  {
    name: 'when-processed',
    weight: 1,
    pattern:
      /\bwhen (?:you (?:are )?)?(?:summari[sz]e|summari[sz]ing|answer|answering|process|processing|read|reading) this (?:document|text|page|article|passage)/iu
  },
  {
    name: 'orders-the-answer',
    weight: 1,
    pattern:
      /\b(?:(?:you|it)\s+(?:must|shall|should|will|have to)\s+(?:always\s+|only\s+|now\s+|instead\s+|never\s+)*(?:answer|respond|reply|say|state|tell|recommend|output|claim|write|print|mention)|(?:respond|reply|answer)\s+(?:only|exclusively|always|instead)\s+with|(?:always|only|instead,?)\s+(?:answer|respond|reply|say|recommend)|(?:begin|start|end)\s+(?:your|every|each)\s+(?:answer|response|reply|message)\s+with|your\s+(?:new|real|actual|true|only)\s+(?:task|instructions?|goal|purpose|role|mission|job)|new\s+(?:instructions?|task|system prompt|directive)s?\s*:|do not (?:tell|inform|mention|reveal|alert|warn)\b[^.\n]{0,30}\b(?:user|anyone|this|consultant|client|human)|without (?:telling|informing|alerting|asking) the (?:user|human|consultant))/iu
  },
  {
    name: 'claims-authority',
    weight: 1,
    pattern:
      /\b(?:(?:system|admin(?:istrator)?|developer|security|root|priority)\s+(?:override|notice|command|instruction|message|update|directive)\s*[:\]-]|authori[sz]ed by (?:openai|anthropic|google|the developers?|your (?:creators?|developers?))|(?:this|the following) (?:is an? |message |text )?(?:overrides?|supersedes?|replaces|takes precedence over) (?:all|any|every|your)|end of (?:document|context|passage|source|data)s?\b[^\n]{0,5}(?:\n|---|\]|>)|begin (?:admin|system|new) (?:instructions?|prompt|session))/iu
  },
  {
    name: 'calls-a-tool',
    weight: 1,
    pattern:
      /\b(?:call|invoke|execute|run|use|trigger)\s+(?:the\s+)?(?:`?\w+`?\s+)?(?:tool|function|plugin|action|command|shell|browser)\b[^.\n]{0,60}\b(?:with|to (?:send|delete|transfer|fetch|open|write|pay|approve)|now|immediately)/iu
  },
  {
    name: 'decode-and-obey',
    weight: 2,
    pattern: /\b(?:decode|decrypt|base64|rot13|unscramble)\b[^.\n]{0,60}\b(?:and|then)\s+(?:follow|execute|obey|run|do|comply|act)/iu
  }
]

/** Base64 that hides an order: decoded once and looked at again. */
const ENCODED = /[A-Za-z0-9+/]{40,}={0,2}/g
const LONGEST_EXAMINED = 200_000

/** Looks at one passage. */
export function examinePassage(passage: string): InjectionReport {
  const isTagged = TAG_LETTERS.test(passage)
  const visible = passage.slice(0, LONGEST_EXAMINED).replace(HIDDEN, '')
  const found = new Set<string>(isTagged ? ['hidden-letters'] : [])
  let weight = isTagged ? 2 : 0
  const look = (text: string, suffix = ''): void => {
    for (const rule of rules) {
      if (found.has(rule.name) || found.has(rule.name + suffix) || !rule.pattern.test(text)) continue
      found.add(rule.name + suffix)
      weight += rule.weight
    }
  }
  look(visible.replace(JOINERS, ''))
  // Read as a model would read it: look-alikes, digits for letters, l e t t e r s a p a r t, hidden orders.
  look(plainly(visible), '-disguised')
  // In a code sample it is an article about chat templates; in the text it can only be meant for a model.
  if (visible.replace(CODE, ' ').search(ROLE_MARKUP) >= 0) {
    found.add('role-markup')
    weight += 2
  } else if (ROLE_LINE.test(visible)) weight += 1
  for (const [code] of visible.matchAll(ENCODED)) {
    const decoded = Buffer.from(code, 'base64').toString('utf8')
    if (!decoded.includes('\uFFFD')) look(decoded, '-encoded')
  }
  return { text: visible.replace(ROLE_MARKUP, ' '), rules: [...found], isAttack: weight >= 2 }
}

function plainly(text: string): string {
  const letters = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u0400-\u04FF\u0500-\u052F]/gu, (sign) => LOOKALIKES[sign] ?? sign)
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
  const unleeted = letters.replace(/(?<=[a-z])[013457@$]|[013457@$](?=[a-z])/giu, (sign) => LEET[sign] ?? sign)
  return unleeted.replace(/\b(?:[A-Za-z][ .*_-]){3,}[A-Za-z]\b/g, (spaced) => spaced.replace(/(\w)[ .*_-](?=\w\b)/g, '$1'))
}
