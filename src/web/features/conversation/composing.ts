/** What is being written in the open conversation, beside its text: an answer to something, or a change of it. */
import { signal } from '@preact/signals'
import type { Message } from '../../sync/wire.ts'

export const replyTo = signal<Message | undefined>(undefined)
export const editing = signal<Message | undefined>(undefined)
/** Grows when the field is to be typed in. */
export const focusWanted = signal(0)

export function startReply(message: Message): void {
  editing.value = undefined
  replyTo.value = message
  focusWanted.value++
}
export function startEditing(message: Message): void {
  replyTo.value = undefined
  editing.value = message
  focusWanted.value++
}
export function stopBoth(): void {
  replyTo.value = undefined
  editing.value = undefined
}
