// The words about keeping the history: unlocking, passphrase, backup, retention, purge, export and import. Part of `en.ts`.
import { formatInteger as count } from './format.ts'

const messagesOf = (value: number): string => `${count(value)} ${value === 1 ? 'message' : 'messages'}`
const sessionsOf = (value: number): string => `${count(value)} ${value === 1 ? 'session' : 'sessions'}`
const held = (sessions: number, messages: number): string => `${messagesOf(messages)} in ${sessionsOf(sessions)}`

export const careWords = {
  unlock: {
    title: 'Your history is locked',
    body: 'It is encrypted with the passphrase you set. Questions that wait in it are sent after it is open.',
    field: 'Passphrase',
    open: 'Unlock',
    opening: 'Unlocking…',
    forgotten: 'Aside does not know the passphrase and can’t recover it.'
  },

  passphrase: {
    show: 'Show the passphrase',
    hide: 'Hide the passphrase',
    capsLock: 'Caps Lock is on.',
    tooShort: 'At least 8 characters.',
    weak: 'Short. Somebody who has the file could try them all; four unrelated words are hard to guess and easy to keep.',
    repeated: 'Mostly the same characters. Four unrelated words are hard to guess and easy to keep.',
    fair: 'Usable. Longer is better: a few unrelated words more cost you little.',
    good: 'Long enough to withstand guessing, if nobody else would think of it.',
    differs: 'The two are not the same yet.',
    same: 'Both are the same.'
  },

  jobs: {
    stop: 'Stop',
    failed: {
      export: 'The export failed.',
      import: 'The import failed.',
      backup: 'The backup failed.',
      restore: 'The restore failed.',
      rekey: 'The new key was not set.',
      purge: 'The purge failed.'
    }
  },

  outbox: {
    title: 'Outbox',
    summary: ({ waiting, held: asking, failed }: { readonly waiting: number; readonly held: number; readonly failed: number }): string => {
      const parts = [
        ...(waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? 'waits' : 'wait'}`]),
        ...(asking === 0 ? [] : [`${asking} ${asking === 1 ? 'asks' : 'ask'} for your word`]),
        ...(failed === 0 ? [] : [`${failed} failed`])
      ]
      return parts.length === 0 ? 'Empty' : parts.join(' · ')
    },
    emptyTitle: 'Nothing waits',
    emptyBody: 'Questions that can’t be sent at once are kept here, encrypted on this disk, and sent in their order when the link is back.',
    show: 'Show in its session'
  },

  care: {
    figures: {
      held: 'Kept',
      size: 'On disk',
      check: 'Last checked',
      backup: 'Last backup',
      never: 'Never',
      ofSessions: sessionsOf,
      ofMessages: messagesOf
    },
    failedLoad: 'The state of the history could not be read.',
    retry: 'Try again',
    cancel: 'Cancel',
    remind: {
      never: 'There is no backup yet. One copy on another disk keeps your history when this machine is lost.',
      old: (days: number) => `The last backup is ${days} days old.`
    },

    keyTitle: 'How it is locked',
    key: {
      vault: 'Encrypted on this disk. Its key is in the system’s key store and opens with your account.',
      file: 'Encrypted on this disk, but this system offers no key store: the key lies in a file beside it, as plain text. Whoever gets at your account’s files can read the history. A passphrase closes this door.',
      passphrase: 'Encrypted on this disk with your passphrase, asked for at each start. Aside can’t recover it.'
    },
    setPassphrase: 'Set a passphrase',
    changePassphrase: 'Change passphrase',
    removePassphrase: 'Remove passphrase',
    rekey: 'New key',
    passphraseIntro: 'Aside asks for it at each start, before it shows or sends anything.',
    passphraseWarning: 'It can’t be recovered. Without it nobody can open this history: not you, not us.',
    removeIntro:
      'Aside opens without asking from then on. The key goes to the system’s key store or, where there is none, into a file that your account can read.',
    current: 'Present passphrase',
    next: 'New passphrase',
    repeat: 'New passphrase again',
    working: 'Working…',
    passphraseSet: 'The passphrase is set. Aside asks for it at the next start.',
    passphraseChanged: 'The passphrase is changed. The old one no longer opens this history.',
    passphraseRemoved: 'The passphrase is removed.',
    rekeyTitle: 'Encrypt with a new key',
    rekeyBody:
      'Every page of the history is written again under a new key. You can go on working; if it is interrupted, the old key stays in force. Backups made before keep the key they were made with.',
    rekeyYes: 'Encrypt again',
    rekeyDone: 'The history is encrypted with a new key.',

    backupTitle: 'Backup',
    backupHint: 'One encrypted file with everything, checked after it was written.',
    backup: 'Back up…',
    restore: 'Restore…',
    backupIntro: 'Aside asks where to write the file, copies the history while you go on working, and opens the copy to check it.',
    backupSeal: 'Protect it with a passphrase',
    backupSealHint: 'Then it can be opened on any machine. Without one, only with this machine’s key.',
    backupPassphrase: 'Passphrase of the backup',
    backupRepeat: 'Passphrase of the backup again',
    backupYes: 'Choose a place…',
    asking: 'Waiting for your choice…',
    backupDone: (file: string, size: string) => `Backed up to ${file} (${size}), and checked.`,
    restoreTitle: 'Restore a backup',
    restoreIntro:
      'The file is opened and checked first. Then its history takes the place of the present one, which is set aside on this disk, not deleted.',
    restoreWaiting: 'Questions that waited when the backup was made ask you before they are sent.',
    restorePassphrase: 'Passphrase of the backup',
    restorePassphraseHint: 'Leave empty when it was made without one.',
    restoreYes: 'Choose a backup…',
    restoreDone: (sessions: number, messages: number) => `Restored: ${held(sessions, messages)}.`,

    transferTitle: 'Take out, bring in',
    transferHint: 'Your words in open formats; a history of ChatGPT or of another Aside comes in.',
    export: 'Export…',
    import: 'Import…',

    retentionTitle: 'How long messages are kept',
    retentionDefault: 'Every other client',
    retentionNoClient: 'Every client',
    retentionForever: 'until removed by hand',
    retentionDays: (days: number): string =>
      days % 365 === 0 ? (days === 365 ? '1 year' : `${days / 365} years`) : `${count(days)} ${days === 1 ? 'day' : 'days'}`,
    retentionAdd: 'Add a rule',
    retentionChange: 'Change',
    retentionRemove: 'Remove',
    retentionNew: 'Keep messages for a time',
    retentionFor: 'Client',
    retentionForHint: 'Empty: every client without a rule of its own.',
    retentionSpan: 'Keep for',
    retentionCustom: 'Days',
    retentionSave: 'Save rule',
    retentionPreview: (sessions: number, messages: number) =>
      messages === 0 ? 'Nothing is that old today.' : `At the next start this removes ${held(sessions, messages)} for good.`,
    retentionPreviewAll: (messages: number) =>
      messages === 0
        ? 'Nothing is that old today.'
        : `At the next start this removes up to ${messagesOf(messages)} for good: clients with a rule of their own follow that.`,
    retentionRemoved: (client: string) => `The rule for ${client} is removed. Its messages stay.`,

    purgeTitle: 'Remove for good',
    purgeHint: 'From the file, its log, the index and the automatic snapshots. Costs stay in the usage page, without text.',
    purge: 'Remove messages…',
    purgeClient: 'Of client',
    purgeAnyClient: 'Every client',
    purgeSession: 'Session',
    purgeAnySession: 'Every session',
    purgeBefore: 'Written before',
    purgeChoose: 'Choose a client, a session or a date.',
    purgeCounting: 'Counting…',
    purgeNothing: 'Nothing fits this choice.',
    purgePreview: (sessions: number, messages: number) =>
      `This removes ${held(sessions, messages)}. It can’t be undone; a backup you made yourself keeps them.`,
    purgeConfirm: (messages: string) => `Type ${messages} to confirm`,
    purgeYes: 'Remove for good',
    purgeDone: (sessions: number, messages: number) => `Removed for good: ${held(sessions, messages)}.`
  },

  exporting: {
    title: 'Export',
    format: 'Format',
    formats: { json: 'JSON', markdown: 'Markdown', html: 'HTML', csv: 'CSV of usage' },
    hints: {
      json: 'Everything, losslessly. Can be imported again.',
      markdown: 'To read and edit anywhere, with sources.',
      html: 'One page to read and print, without scripts.',
      csv: 'The usage ledger for a spreadsheet: costs, tokens, times; no text.'
    },
    session: 'Session',
    anySession: 'Every session',
    client: 'Client',
    anyClient: 'Every client',
    from: 'From',
    to: 'To',
    plain: 'The file is not encrypted: whoever has it can read it.',
    yes: 'Choose a place…',
    done: (file: string, sessions: number, messages: number) => `Exported to ${file}: ${held(sessions, messages)}.`,
    doneUsage: (file: string) => `Exported the usage to ${file}.`
  },

  importing: {
    title: 'Import',
    sources: { aside: 'A history of Aside', chatgpt: 'A data export of ChatGPT' },
    reading: 'Waiting for your choice…',
    found: 'Found',
    known: 'Here already',
    knownNote: 'left as they are',
    period: 'From – to',
    client: 'Put them under client',
    clientHint: 'Empty: no client. Each session can be changed later.',
    remarks: 'Good to know',
    intro: 'Nothing is in your history yet. Imported messages can be searched; none is sent.',
    yes: (sessions: number) => `Import ${sessionsOf(sessions)}`,
    discard: 'Discard',
    nothing: 'Everything in this file is here already.',
    done: (sessions: number, messages: number) => `Imported: ${held(sessions, messages)}.`
  }
}
