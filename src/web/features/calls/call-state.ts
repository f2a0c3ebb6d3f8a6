/** The call that this page is in. */
import { signal } from '@preact/signals'

export type CallMedia = 'audio' | 'video'

export interface CallNow {
  id: string
  chatId: string
  media: CallMedia
  isCaller: boolean
  /** ringing: somebody calls me; calling: nobody has answered yet; talking: the media is there, or on its way */
  state: 'ringing' | 'calling' | 'talking'
  /** The other side rings. */
  isReached: boolean
  /** Milliseconds since 1970; undefined until the media has come once. */
  connectedAt: number | undefined
  isConnected: boolean
  local: MediaStream | undefined
  remote: MediaStream | undefined
  isMuted: boolean
  isCameraOn: boolean
}

export const call = signal<CallNow | undefined>(undefined)
