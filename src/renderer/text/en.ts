// Every word the windows show, in English. Sentences say what happened, what was kept, what to do.
import type { ErrorCode } from '../../shared/errors.ts'
import type { QuickAction } from '../../shared/turn.ts'
import { careWords } from './careWords.ts'

interface QuickActionWords {
  readonly label: string
  readonly hint: string
  /** What is asked when the box is empty: then it is about the last answer. */
  readonly question: string
}

const quickActions: Record<QuickAction, QuickActionWords> = {
  clarify: { label: 'Clarify', hint: 'Explain it more simply', question: 'Explain your last answer more simply.' },
  counter: { label: 'Counter', hint: 'The strongest argument against it', question: 'What is the strongest argument against your last answer?' },
  'check-number': {
    label: 'Check number',
    hint: 'Verify the figures and their dates',
    question: 'Check the figures in your last answer, and say how old they are.'
  },
  cost: { label: 'Cost', hint: 'Estimate what it would cost', question: 'Estimate what your last answer would cost per month.' },
  'best-practice': {
    label: 'Best practice',
    hint: 'What Well-Architected guidance says',
    question: 'What does best practice say about your last answer?'
  },
  summarise: { label: 'Summarise', hint: 'The meeting so far', question: 'Summarise the meeting so far.' }
}

/** What a question failed of, in a word or two; others have simply failed. */
const failures: Partial<Record<ErrorCode, string>> = {
  refused: 'Refused',
  budget_exhausted: 'Over budget',
  rate_limited: 'Too many',
  invalid_request: 'Not valid',
  context_invalid: 'Not valid',
  context_too_large: 'Too long',
  unauthenticated: 'Not signed in',
  forbidden: 'Not allowed',
  timeout: 'No answer',
  unavailable: 'No answer'
}

export const en = {
  product: 'Aside',
  ...careWords,
  quickActions,

  errors: {
    noAnswer: 'Aside’s core did not answer. What you typed is still here; try again, or restart Aside if it stays.',
    unreadable: 'Aside’s core sent something this window cannot read. Nothing was lost; restart Aside to bring both to the same version.',
    draftNotKept: 'What you type can’t be kept through a crash at the moment. It is still in its box: send it, or copy it somewhere safe.',
    renderTitle: 'This part of the window failed to show',
    renderBody: 'Your sessions and questions are safe: they are kept outside this window.',
    reload: 'Reload the window'
  },

  start: {
    connecting: 'Opening your history…',
    failed: 'Aside can’t reach its core.',
    retry: 'Try again',
    sessionGone: 'The session that was open is not in this history. Another one is shown.'
  },

  delivery: {
    words: {
      saved: 'Saved',
      queued: 'Queued',
      confirm: 'Held',
      sending: 'Sending',
      answering: 'Answering',
      answered: 'Answered',
      stopped: 'Stopped',
      failed: 'Failed',
      cancelled: 'Cancelled'
    },
    failures,
    confirm: 'Older than an hour: send it, edit it or cancel it.',
    behind: 'Sent after the question before it.',
    untilOnline: 'Sent in order when the link is back.',
    nextAttempt: (time: string) => `Next attempt at ${time}.`,
    actions: {
      sendNow: 'Send now',
      sendAgain: 'Send again',
      edit: 'Edit',
      cancel: 'Cancel',
      dontSend: 'Don’t send',
      copy: 'Copy',
      again: 'Ask again',
      reuse: 'Edit and ask'
    }
  },

  answer: {
    label: 'Answer',
    you: 'You',
    question: 'Question',
    system: 'Note',
    waiting: 'Waiting for the first words',
    stop: 'Stop',
    copy: 'Copy answer',
    copied: 'Copied',
    facts: 'Facts about this answer',
    sources: 'Sources',
    openSource: 'Open source',
    citation: (n: number, title: string) => `Source ${n}: ${title}`,
    asOf: (date: string) => `as of ${date}`,
    stopped: 'You stopped this answer. What had arrived is kept.',
    cutOff: 'The answer ended at the model’s length limit.',
    filtered: 'The model’s own filter ended this answer.',
    failedTitle: 'No complete answer',
    finished: (start: string) => `Answer finished. ${start}`,
    failed: (reason: string) => `The answer failed. ${reason}`,
    provider: 'Provider',
    model: 'Model',
    cost: 'Cost',
    tokens: 'Tokens',
    tokensInOut: (input: string, output: string) => `${input} in, ${output} out`,
    tokensCached: (cached: string) => `${cached} cached`,
    firstText: 'First text',
    total: 'Complete after',
    failovers: 'Failovers',
    notices: { local: 'Local answer' }
  },

  markdown: { copyCode: 'Copy code', copied: 'Copied', code: 'Code', table: 'Table', image: 'Image' },

  composer: {
    label: 'Question',
    placeholder: 'Ask about this meeting',
    send: 'Ask',
    sending: 'Saving',
    hint: 'Enter sends · Shift+Enter new line',
    left: (count: string) => `${count} characters left`,
    over: (count: string) => `${count} characters too long. Shorten it, or split it into two questions.`,
    quickActions: 'Quick actions'
  },

  transcript: {
    label: 'Transcript',
    newBelow: 'New text below',
    toNewest: 'Go to the newest',
    loading: 'Loading messages…',
    loadFailed: 'These messages could not be read.',
    retry: 'Try again',
    today: 'Today',
    yesterday: 'Yesterday',
    start: 'Start of this session'
  },

  rail: {
    label: 'Sessions',
    filter: 'Filter sessions',
    newSession: 'New session',
    pinned: 'Pinned',
    recent: 'Recent',
    archived: 'Archived',
    showArchived: 'Archived sessions',
    nothing: 'No session matches.',
    noArchived: 'Nothing is archived.',
    outbox: 'Outbox',
    outboxCount: (count: number) => (count === 1 ? '1 question in it' : `${count} questions in it`),
    search: 'Search',
    usage: 'Usage',
    settings: 'Settings',
    open: 'Show sessions',
    close: 'Hide sessions',
    waiting: (count: number) => (count === 1 ? '1 question waits' : `${count} questions wait`),
    waitingShort: (count: number) => `${count} waiting`,
    none: 'No sessions yet. Start one for the meeting ahead.',
    untitled: 'Untitled session'
  },

  session: {
    title: 'Title',
    client: 'Client',
    meetingType: 'Meeting type',
    context: 'Project context',
    contextHint: 'Sent along with each question. What must the answer know?',
    services: 'Services',
    servicesHint: 'Separate with commas',
    providers: 'Cloud providers',
    fields: 'Own fields',
    fieldName: 'Name',
    addField: 'Add a field',
    removeField: 'Remove field',
    notes: 'Notes',
    notesHint: 'Yours alone; never sent.',
    create: 'Start session',
    creating: 'Starting…',
    cancel: 'Cancel',
    newTitle: 'New session',
    newIntro: 'What Aside knows about the meeting makes its answers fit. Everything can be changed later.',
    template: 'Begin with',
    pin: 'Pin',
    unpin: 'Unpin',
    archive: 'Archive',
    restore: 'Restore',
    remove: 'Delete session',
    removeAsk: 'Delete this session and its messages? This can’t be undone. Its costs stay in the usage page.',
    removeYes: 'Delete',
    details: 'Details',
    closeDetails: 'Close details',
    overlay: 'Ask in overlay',
    messages: (count: string) => `${count} messages`,
    created: (date: string) => `Created ${date}`,
    expires: (date: string) => `Expires ${date}`,
    editTitle: 'Session title',
    saved: 'Saved'
  },

  templates: [
    { key: 'blank', name: 'Blank', meetingType: '', serviceTypes: [] as string[], context: '' },
    {
      key: 'discovery',
      name: 'Discovery workshop',
      meetingType: 'Discovery workshop',
      serviceTypes: ['Assessment'],
      context: 'Current landscape: \nBusiness goals: \nConstraints (compliance, dates, skills): '
    },
    {
      key: 'architecture',
      name: 'Architecture review',
      meetingType: 'Architecture review',
      serviceTypes: ['Architecture'],
      context: 'Workload: \nAvailability and recovery targets: \nOpen decisions: '
    },
    {
      key: 'migration',
      name: 'Migration planning',
      meetingType: 'Migration planning',
      serviceTypes: ['Migration'],
      context: 'Source estate: \nTarget and waves: \nCut-over constraints: '
    },
    {
      key: 'cost',
      name: 'Cost review',
      meetingType: 'Cost review',
      serviceTypes: ['Cost optimisation'],
      context: 'Monthly spend: \nLargest items: \nCommitments in place: '
    },
    {
      key: 'security',
      name: 'Security review',
      meetingType: 'Security review',
      serviceTypes: ['Security'],
      context: 'Data classes: \nStandards to meet: \nKnown findings: '
    }
  ],
  cloudProviders: ['AWS', 'Azure', 'Google Cloud', 'On premises'],

  welcome: {
    title: 'Ask while the meeting goes on',
    body: 'Aside answers from its built-in knowledge with sources, on this machine, without an account. Press the shortcut in any program to ask.',
    shortcutUnset: 'No shortcut is set. Choose one in Settings.',
    shortcutTaken: 'Another program has this shortcut. Choose another one in Settings.',
    firstSession: 'First questions',
    tryOne: 'Try one of these',
    samples: [
      'How do I choose between RDS Multi-AZ and read replicas?',
      'What are the six pillars of the AWS Well-Architected Framework?',
      'Which levers reduce S3 storage cost?',
      'When does a lift-and-shift migration make sense?'
    ],
    sessionTitle: 'No questions in this session yet',
    sessionBody: 'Ask about the meeting. The client and project context you noted go along with each question.',
    noSessionTitle: 'Choose a session',
    noSessionBody: 'Or start one for the meeting ahead.'
  },

  search: {
    label: 'Search all messages',
    placeholder: 'Search every question and answer',
    filters: 'Narrow the search',
    client: 'Client',
    clients: 'Clients',
    anyClient: 'Any client',
    noClient: 'No session is with a client of that name.',
    role: 'Who',
    anyRole: 'Questions and answers',
    roles: { user: 'Questions', assistant: 'Answers', system: 'Notes' },
    when: 'When',
    periods: { any: 'Any time', week: 'Last 7 days', month: 'Last 30 days', quarter: 'This quarter', days: 'Between two days' },
    from: 'From',
    to: 'To',
    dayExample: '2026-03-14',
    noDay: 'Write a day like 2026-03-14, 14.3.2026 or 14 March.',
    wrongOrder: 'The first day is after the last one.',
    session: 'Session',
    anySession: 'Any session',
    clear: 'Clear filters',
    results: (count: number, more: boolean) => (more ? `The best ${count}; there are more` : `${count} ${count === 1 ? 'message' : 'messages'}`),
    showMore: 'Show more',
    tooMany: 'There are more. Another word, “words in quotes” or a filter brings the right ones up.',
    none: (query: string) => `No message holds “${query}”.`,
    noneHint: 'Fewer words find more; the beginning of the last word is enough, and accents do not matter.',
    noneFiltered: 'The filters above leave some messages out.',
    nothingToFind: 'There is no word in this yet',
    nothingToFindHint: 'Type letters or digits; “words in quotes” are looked for as they stand.',
    idleTitle: 'Find anything that was said',
    idleBody: 'Every message of every session, on this machine, also offline. Words in any order, “words in quotes” as they stand.',
    failed: 'The search failed.',
    close: 'Close search',
    help: '↑ ↓ choose · Enter opens · Esc closes'
  },

  usage: {
    title: 'Usage',
    intro: 'From the ledger of this machine. It survives when messages are deleted.',
    ranges: { '7': '7 days', '30': '30 days', '90': '90 days', '365': 'Year' },
    range: 'Range',
    cost: 'Cost',
    turns: 'Answers',
    tokens: 'Tokens',
    inOut: (input: string, output: string) => `${input} in · ${output} out`,
    failed: 'Failed',
    failedOf: (share: string) => `${share} of all`,
    failovers: 'Failovers',
    failoversHint: 'answered by another provider',
    byDay: 'By day',
    metric: 'Show',
    asTable: 'As table',
    asChart: 'As chart',
    day: 'Day',
    latency: 'Latency',
    firstText: 'First text',
    total: 'Complete',
    byClient: 'By client',
    bySession: 'By session',
    byModel: 'By model',
    byProvider: 'By provider',
    byError: 'Failures',
    noClient: 'No client',
    noFailures: 'No answer failed in this range.',
    code: 'Kind',
    count: 'Count',
    emptyTitle: 'Nothing was asked in this range',
    emptyBody: 'Costs, tokens and latency appear here with the first answer.',
    failedLoad: 'The ledger could not be read.',
    retry: 'Try again',
    loading: 'Reading the ledger…',
    chartLabel: (metric: string, from: string, to: string) => `${metric} by day, ${from} to ${to}. The same figures are in the table view.`,
    export: 'Export',
    tokensIn: 'Tokens in',
    tokensOut: 'Tokens out'
  },

  settings: {
    title: 'Settings',
    sections: { look: 'Appearance', shortcuts: 'Shortcuts', overlay: 'Overlay', service: 'Answers', privacy: 'History & privacy', about: 'About' },
    theme: 'Theme',
    themes: { system: 'Like the system', light: 'Light', dark: 'Dark' },
    textSize: 'Text size',
    textSizes: { '0.9': 'Small', '1': 'Normal', '1.15': 'Large', '1.3': 'Larger', '1.6': 'Largest' },
    motion: 'Reduce motion',
    motionHint: 'Always, also when the system does not ask for it.',
    shortcutNames: { toggleOverlay: 'Show or hide the overlay', askClipboard: 'Ask about the clipboard' },
    shortcutStates: { registered: 'Works everywhere', unset: 'Not set', taken: 'Taken by another program' },
    record: 'Change',
    recording: 'Press the keys… Esc cancels',
    recordNeedsModifier: 'Hold Ctrl, Alt, Shift or ⌘ with another key.',
    unset: 'Unset',
    opacity: 'Opacity',
    clickThrough: 'Let clicks through',
    clickThroughHint: 'The overlay can be read, and the mouse reaches what is below. The shortcut brings the keyboard to it.',
    hideFromCapture: 'Keep out of screen sharing',
    captureHidden: 'Hidden from screen sharing',
    captureNotGuaranteed: 'Not guaranteed on this system',
    captureOff: 'Visible in screen sharing',
    captureHint: {
      hidden: 'This system keeps the overlay out of screenshots and shared screens.',
      'not-guaranteed': 'This system has no dependable way to keep a window out of screen sharing. Share a single window instead of the whole screen.'
    },
    answersFrom: 'Answers come from',
    embedded: 'The service inside Aside, on this machine',
    remote: (address: string) => `The service at ${address}`,
    serviceVersion: (version: string) => `Version ${version}`,
    openaiUrl: 'OpenAI-compatible server',
    openaiUrlHint: 'For example http://127.0.0.1:8000/v1. Leave empty to answer from built-in knowledge only.',
    openaiUrlWrong: 'This is not an http or https address.',
    openaiModel: 'Model',
    openaiKey: 'Key',
    openaiKeyHint: 'Kept by Aside’s core and never shown again. Save an empty field to remove it.',
    saveKey: 'Save key',
    removeKey: 'Remove key',
    keySaved: 'The key is kept.',
    keyRemoved: 'No key is kept.',
    findOllama: 'Use Ollama when it runs on this machine',
    findOllamaHint: 'Aside looks for it at its usual local address.',
    apply: 'Apply',
    leavesTitle: 'What leaves this machine',
    leavesNothing: 'Nothing: answers come from the service on this machine.',
    leavesOpenai: (host: string) => `Questions, session context and found passages go to ${host}.`,
    leavesService: (address: string) => `Questions and session context go to the service at ${address}.`,
    incident: 'What happened to the history',
    version: 'Version',
    platform: 'System',
    platforms: { darwin: 'macOS', win32: 'Windows', linux: 'Linux' },
    licence: 'Licence',
    licenceName: 'Apache 2.0'
  },

  link: {
    states: { online: 'Online', connecting: 'Connecting', offline: 'Offline' },
    local: 'Local',
    retry: 'Try now',
    banner: 'Offline. Questions are saved and will be sent in order.',
    bannerWaiting: (count: number) =>
      count === 1 ? 'Offline. 1 question is saved and will be sent.' : `Offline. ${count} questions are saved and will be sent in order.`,
    nextTryIn: (seconds: number) => `Next try in ${seconds} s`,
    tryingNow: 'Trying now…',
    spokenOffline: (reason: string) => `Offline. ${reason}`,
    spokenOnline: 'Online again.',
    showOutbox: 'Show them',
    transport: { grpc: 'gRPC', websocket: 'WebSocket', polling: 'HTTP polling' },
    embedded: 'Service inside Aside',
    via: (transport: string) => `over ${transport}`,
    details: 'Link details',
    since: (time: string) => `Since ${time}`
  },

  announcements: { label: 'Notifications', dismiss: 'Dismiss' },

  overlay: {
    field: 'Ask',
    placeholder: 'Ask anything about this meeting',
    details: 'Details',
    less: 'Less',
    moreComing: 'More is arriving',
    stop: 'Stop (Esc)',
    hide: 'Hide (Esc)',
    openMain: 'Open in main window',
    session: 'Asks in',
    newToday: 'New session for today',
    todayTitle: (date: string) => `Meeting, ${date}`,
    position: (n: number, of: number) => `${n} of ${of}`,
    older: 'Earlier answer (↑)',
    newer: 'Later answer (↓)',
    emptyTitle: 'Ready',
    emptyBody: 'Type a question, or press a quick action. ↑ brings back earlier answers.',
    history: 'Earlier answers'
  },

  common: { close: 'Close', loading: 'Loading…', on: 'On', off: 'Off' }
}
