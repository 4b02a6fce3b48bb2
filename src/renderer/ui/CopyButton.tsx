// Copies a text through the core, and says that it did.
import { Check, Copy } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'
import { useActions } from '../state/context.tsx'
import { text } from '../text/text.ts'
import { IconButton } from './Button.tsx'

const CONFIRM_MS = 1_600

export function CopyButton({ value, label }: { readonly value: string; readonly label: string }): ReactNode {
  const actions = useActions()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const timer = setTimeout(() => setCopied(false), CONFIRM_MS)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = async (): Promise<void> => {
    if ((await actions.copy(value)) !== null) setCopied(true)
  }
  return (
    <IconButton small label={copied ? text.answer.copied : label} place={{ align: 'end' }} onClick={() => void copy()}>
      {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
    </IconButton>
  )
}
