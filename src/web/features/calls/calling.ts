/** How a call begins: the parts that make one are loaded when there is one. */
import { effect, signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { t } from '../../i18n/language.ts'
import { closeNotice, notify } from '../../platform/notify.ts'
import { client } from '../../state/client.ts'
import { tellFailure } from '../../state/failures.ts'
import { nameOfChat } from '../../state/names.ts'
import { openChat } from '../../state/opening.ts'
import { toast } from '../../ui/toast.tsx'
import { type CallMedia, type CallNow, call } from './call-state.ts'

export const CallScreen = signal<ComponentType | undefined>(undefined)

async function load() {
  const [phone, screen] = await Promise.all([import('./phone.ts'), import('./call-screen.tsx')])
  CallScreen.value = screen.CallScreen
  return phone.phone()
}

export const canCall = (): boolean => 'RTCPeerConnection' in globalThis && navigator.mediaDevices !== undefined

export async function startCall(chatId: string, media: CallMedia): Promise<void> {
  if (!canCall()) return toast(t().noMicrophone)
  try {
    await (await load()).call(chatId, media)
  } catch (error) {
    if (error instanceof DOMException) toast(t().noCamera)
    else tellFailure(error)
  }
}

/** What a notification of a call is known by. */
const NOTICE = 'call'

type Frame = { type: string } & Record<string, unknown>

/** To whoever looks elsewhere. One of several tabs is enough: the one that has the socket. */
function tell({ chatId, media }: CallNow): void {
  const row = client.state.chats.get(chatId)?.row
  if (!row || !client.state.isLeader || document.hasFocus()) return
  const body = media === 'video' ? t().incomingVideo : t().incomingVoice
  notify({ tag: NOTICE, chatId, title: nameOfChat(row), body, onClick: () => openChat(chatId) })
}

/** Hears of calls from the beginning on. */
export function watchCalls(): void {
  let turn = Promise.resolve()
  let isLoaded = false
  effect(() => {
    if (call.value?.state === 'ringing') tell(call.value)
    else closeNotice(NOTICE)
  })
  client.onFrame((frame: Frame) => {
    const isOurs = frame.type.startsWith('call_') || frame.type === 'user_chats' || frame.type === 'resync'
    if (!isOurs || !canCall()) return
    if (frame.type !== 'call_invite' && !isLoaded && !call.value) return
    isLoaded = true
    // One after the other: setting a description takes its time.
    turn = turn.then(async () => (await load()).hear(frame)).catch(tellFailure)
  })
}
