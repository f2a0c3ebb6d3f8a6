/**
 * One end of a call: the frames that ring and negotiate, the RTCPeerConnection that carries the media. A device is one
 * socket; when that is another one (a lost connection, another tab that leads) the call is resumed on it.
 */
import { t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import { NetworkError } from '../../sync/rest.ts'
import { toast } from '../../ui/toast.tsx'
import { type CallMedia, type CallNow, call } from './call-state.ts'

type Frame = { type: string } & Record<string, unknown>

interface Peer {
  connection: RTCPeerConnection
  /** Candidates that came before what they belong to. */
  early: RTCIceCandidateInit[]
}

export type Phone = ReturnType<typeof createPhone>
let only: Phone | undefined
export const phone = (): Phone => {
  only ??= createPhone()
  return only
}

function createPhone() {
  let peer: Peer | undefined
  // Several tabs ring; when one has the call the others are silent.
  const tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('messenger calls') : undefined
  tabs?.addEventListener('message', ({ data }) => {
    if (call.value?.state === 'ringing' && call.value.id === data) end()
  })
  addEventListener('pagehide', () => {
    if (call.value && call.value.state !== 'ringing') hangUp()
  })

  const change = (changes: Partial<CallNow>) => {
    if (call.value) call.value = { ...call.value, ...changes }
  }
  const tell = (type: string, fields: Record<string, unknown> = {}) =>
    client.request({ type, call_id: call.value?.id, ...fields })
  /** What could not be passed on is made up for after `call_resume`. */
  const pass = (type: string, fields: Record<string, unknown>) => tell(type, fields).catch(() => undefined)

  function end(): void {
    client.keepSocket(false)
    peer?.connection.close()
    peer = undefined
    for (const track of call.value?.local?.getTracks() ?? []) track.stop()
    call.value = undefined
  }

  const begin = (now: Pick<CallNow, 'id' | 'chatId' | 'media' | 'isCaller' | 'state' | 'local'>) => {
    call.value = {
      ...now,
      isReached: false,
      connectedAt: undefined,
      isConnected: false,
      remote: undefined,
      isMuted: false,
      isCameraOn: now.media === 'video',
    }
    if (now.isCaller) client.keepSocket(true)
  }

  const listen = (media: CallMedia) => navigator.mediaDevices.getUserMedia({ audio: true, video: media === 'video' })

  async function prepare(): Promise<RTCPeerConnection> {
    const { ice_servers } = await client.api.iceServers()
    const connection = new RTCPeerConnection({ iceServers: ice_servers })
    peer = { connection, early: peer?.early ?? [] }
    const remote = new MediaStream()
    connection.ontrack = ({ track }) => {
      remote.addTrack(track)
      // Another object, so that whoever shows it looks again.
      change({ remote: new MediaStream(remote.getTracks()) })
    }
    connection.onicecandidate = ({ candidate }) => {
      if (candidate) pass('call_candidate', { candidate: candidate.toJSON() })
    }
    connection.onconnectionstatechange = () => {
      const isConnected = connection.connectionState === 'connected'
      change({ isConnected, ...(isConnected && { connectedAt: call.value?.connectedAt ?? Date.now() }) })
      if (connection.connectionState === 'failed' && call.value?.isCaller) offer(true)
    }
    const local = call.value?.local
    for (const track of local?.getTracks() ?? []) if (local) connection.addTrack(track, local)
    return connection
  }

  async function offer(iceRestart: boolean): Promise<void> {
    if (!peer) return
    await peer.connection.setLocalDescription(await peer.connection.createOffer({ iceRestart }))
    await pass('call_offer', { sdp: peer.connection.localDescription?.sdp })
  }

  async function addEarly(): Promise<void> {
    for (const candidate of peer?.early.splice(0) ?? []) await peer?.connection.addIceCandidate(candidate)
  }

  async function resume(): Promise<void> {
    const now = call.value
    if (!now || now.state === 'ringing') return
    try {
      const { state } = await tell('call_resume')
      if (now.state === 'calling' && state === 'active') await answered()
      else if (now.state === 'talking' && now.isCaller) await offer(true)
    } catch (error) {
      // Without an answer the next socket tries again; the server ends what nobody resumes.
      if (!(error instanceof NetworkError)) end()
    }
  }

  async function answered(): Promise<void> {
    await prepare()
    change({ state: 'talking' })
    await offer(false)
  }

  function hangUp(): void {
    pass('call_end', {})
    end()
  }

  return {
    /** @throws ApiError; DOMException without a microphone */
    async call(chatId: string, media: CallMedia): Promise<void> {
      if (call.value) return
      const local = await listen(media)
      const stop = () => {
        for (const track of local.getTracks()) track.stop()
      }
      try {
        const { call_id, state } = await client.request({ type: 'call_invite', chat_id: chatId, media })
        if (state === 'ended') {
          stop()
          toast(t().callWas.busy)
          return
        }
        begin({ id: String(call_id), chatId, media, isCaller: true, state: 'calling', local })
      } catch (error) {
        stop()
        throw error
      }
    },

    async accept(): Promise<void> {
      const now = call.value
      if (now?.state !== 'ringing') return
      try {
        // First, so that nobody answers without a microphone.
        change({ local: await listen(now.media) })
        await prepare()
        await tell('call_accept')
        tabs?.postMessage(now.id)
        client.keepSocket(true)
        change({ state: 'talking' })
      } catch (error) {
        if (error instanceof DOMException) toast(t().noCamera)
        else end()
      }
    },

    decline(): void {
      const id = call.value?.id
      pass('call_decline', {})
      if (id) tabs?.postMessage(id)
      end()
    },
    hangUp,

    mute(isMuted: boolean): void {
      for (const track of call.value?.local?.getAudioTracks() ?? []) track.enabled = !isMuted
      change({ isMuted })
    },
    showCamera(isCameraOn: boolean): void {
      for (const track of call.value?.local?.getVideoTracks() ?? []) track.enabled = isCameraOn
      change({ isCameraOn })
    },

    /** Another microphone or camera, in the midst of a call. */
    async use(kind: 'audio' | 'video', deviceId: string): Promise<void> {
      const fresh = await navigator.mediaDevices.getUserMedia({ [kind]: { deviceId: { exact: deviceId } } })
      const [track] = fresh.getTracks()
      const local = call.value?.local
      if (!track || !local) return
      const before = local.getTracks().find((one) => one.kind === kind)
      if (before) {
        track.enabled = before.enabled
        before.stop()
        local.removeTrack(before)
      }
      local.addTrack(track)
      const sender = peer?.connection.getSenders().find((one) => one.track?.kind === kind)
      await sender?.replaceTrack(track)
      change({ local: new MediaStream(local.getTracks()) })
    },

    async hear(frame: Frame): Promise<void> {
      const { type, call_id } = frame
      if (type === 'user_chats' || type === 'resync') return resume()
      if (type === 'call_invite') {
        const [id, chatId] = [String(call_id), String(frame.chat_id)]
        const media = frame.media === 'video' ? 'video' : 'audio'
        if (!call.value) begin({ id, chatId, media, isCaller: false, state: 'ringing', local: undefined })
        if (call.value?.id === id) pass('call_ringing', {})
        return
      }
      if (!call.value || call_id !== call.value.id) return
      switch (type) {
        case 'call_ringing':
          return change({ isReached: true })
        case 'call_accept':
          return answered()
        case 'call_offer': {
          if (!peer) return
          await peer.connection.setRemoteDescription({ type: 'offer', sdp: String(frame.sdp) })
          await addEarly()
          await peer.connection.setLocalDescription(await peer.connection.createAnswer())
          await pass('call_answer', { sdp: peer.connection.localDescription?.sdp })
          return
        }
        case 'call_answer':
          await peer?.connection.setRemoteDescription({ type: 'answer', sdp: String(frame.sdp) })
          return addEarly()
        case 'call_candidate': {
          const candidate = frame.candidate as RTCIceCandidateInit
          if (peer?.connection.remoteDescription) await peer.connection.addIceCandidate(candidate)
          else peer?.early.push(candidate)
          return
        }
        case 'call_resume':
          if (call.value.isCaller) await offer(true)
          return
        case 'call_answered_elsewhere':
          return end()
        case 'call_end':
          if (call.value.isCaller && frame.outcome !== 'completed' && frame.outcome !== 'cancelled')
            toast(t().callWas[frame.outcome as keyof ReturnType<typeof t>['callWas']] ?? t().call)
          return end()
      }
    },
  }
}
