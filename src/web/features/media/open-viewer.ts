/** The viewer is loaded when the first photo is opened. */
import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { tellFailure } from '../../state/failures.ts'
import type { Message } from '../../sync/wire.ts'

export const viewed = signal<Message | undefined>(undefined)
export const Viewer = signal<ComponentType<{ message: Message; onShow(next?: Message): void }> | undefined>(undefined)

export async function openViewer(message: Message): Promise<void> {
  viewed.value = message
  try {
    Viewer.value ??= (await import('./viewer.tsx')).PhotoViewer
  } catch {
    viewed.value = undefined
    tellFailure(new Error('The viewer did not load'))
  }
}
