/**
 * One end of a call as a browser makes it: the socket that rings and negotiates, the RTCPeerConnection that carries the
 * media. `onChange` is called after everything that happens.
 */
export class Phone {
  /** idle, ringing (somebody calls), calling (nobody has answered), talking */
  state = 'idle'
  /** What became of the last call: {outcome, duration} */
  last = null
  /** Of other people: MediaStream */
  remote = null
  local = null
  callId = null
  isCaller = false
  log = []
  #answers = new Map()
  #refs = 0
  #early = []

  /** @param {{server: string, token: string, policy?: 'all' | 'relay', onChange?: () => void}} options */
  constructor({ server, token, policy = 'all', onChange = () => {} }) {
    Object.assign(this, { server, token, policy, onChange })
  }

  /** Resolves when the socket is open; it is opened again whenever it closes. */
  async open() {
    const socket = new WebSocket(`${this.server.replace(/^http/, 'ws')}/ws?token=${this.token}`)
    this.socket = socket
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data))
    socket.onclose = ({ code }) => {
      if (code === 4401) return
      setTimeout(() => this.open().then(() => this.#resume()), 200)
    }
    await new Promise((resolve) => {
      this.whenOpen = resolve
    })
  }

  ask(frame) {
    const ref = ++this.#refs
    this.socket.send(JSON.stringify({ ...frame, ref }))
    return new Promise((resolve, reject) => this.#answers.set(ref, { resolve, reject }))
  }

  async get(path) {
    const answer = await fetch(`${this.server}/api/v1${path}`, { headers: { authorization: `Bearer ${this.token}` } })
    return answer.json()
  }

  async call(chatId, media) {
    const { call_id, state, outcome } = await this.ask({ type: 'call_invite', chat_id: chatId, media })
    if (state === 'ended') return this.#become('idle', { last: { outcome, duration: 0 } })
    this.#become('calling', { callId: call_id, media, isCaller: true })
  }

  async accept() {
    // First, so that nobody answers without a microphone.
    await this.#prepare()
    await this.ask({ type: 'call_accept', call_id: this.callId })
    this.#become('talking')
  }

  decline = () => this.ask({ type: 'call_decline', call_id: this.callId })
  hangUp = () => this.ask({ type: 'call_end', call_id: this.callId })

  /** Bytes that have come in, by kind, and whether they came through a relay. */
  async stats() {
    const bytes = { audio: 0, video: 0 }
    let relayed = null
    const report = await this.peer.getStats()
    for (const one of report.values()) {
      if (one.type === 'inbound-rtp') bytes[one.kind] += one.bytesReceived
      if (one.type === 'candidate-pair' && one.nominated) {
        relayed = report.get(one.localCandidateId)?.candidateType === 'relay'
      }
    }
    return { ...bytes, relayed }
  }

  async #prepare() {
    const { ice_servers } = await this.get('/calls/ice-servers')
    const peer = new RTCPeerConnection({ iceServers: ice_servers, iceTransportPolicy: this.policy })
    this.peer = peer
    this.remote = new MediaStream()
    peer.ontrack = ({ track }) => this.#become(this.state, this.remote.addTrack(track))
    peer.onicecandidate = ({ candidate }) =>
      candidate && this.#pass('call_candidate', { candidate: candidate.toJSON() })
    peer.onconnectionstatechange = () => this.#become(this.state)
    this.local = await navigator.mediaDevices.getUserMedia({ audio: true, video: this.media === 'video' })
    for (const track of this.local.getTracks()) peer.addTrack(track, this.local)
  }

  /** What could not be passed on is made up for after `call_resume`. */
  async #pass(type, fields) {
    try {
      await this.ask({ type, call_id: this.callId, ...fields })
    } catch (error) {
      this.log.push(String(error))
    }
  }

  async #offer(iceRestart) {
    await this.peer.setLocalDescription(await this.peer.createOffer({ iceRestart }))
    await this.#pass('call_offer', { sdp: this.peer.localDescription.sdp })
  }

  async #resume() {
    if (this.state === 'idle' || this.state === 'ringing') return
    try {
      const { state } = await this.ask({ type: 'call_resume', call_id: this.callId })
      if (this.state === 'calling' && state === 'active')
        await this.#obey({ type: 'call_accept', call_id: this.callId })
      else if (this.state === 'talking' && this.isCaller) await this.#offer(true)
    } catch (error) {
      this.#end(null)
      this.log.push(String(error))
    }
  }

  #hear(frame) {
    if (frame.type === 'ack' || frame.type === 'error') {
      const answer = this.#answers.get(frame.ref)
      this.#answers.delete(frame.ref)
      if (frame.type === 'ack') answer?.resolve(frame)
      else answer?.reject(new Error(`${frame.error} ${JSON.stringify(frame.details)}`))
    } else if (frame.type === 'user_chats') {
      this.whenOpen()
    } else if (frame.type === 'resync') {
      this.#resume()
    } else if (frame.type.startsWith('call_')) {
      // One after the other: setting a description takes its time.
      this.turn = (this.turn ?? Promise.resolve())
        .then(() => this.#obey(frame))
        .catch((error) => this.log.push(`${frame.type}: ${error}`))
    }
  }

  async #obey({ type, call_id, ...frame }) {
    if (type === 'call_invite') {
      if (this.state === 'idle')
        this.#become('ringing', { callId: call_id, media: frame.media, isCaller: false, invite: frame })
      if (this.callId === call_id) await this.ask({ type: 'call_ringing', call_id })
      return
    }
    if (call_id !== this.callId) return
    switch (type) {
      case 'call_accept':
        await this.#prepare()
        this.#become('talking')
        return this.#offer(false)
      case 'call_offer':
        await this.peer.setRemoteDescription({ type: 'offer', sdp: frame.sdp })
        await this.#addEarly()
        await this.peer.setLocalDescription(await this.peer.createAnswer())
        return this.#pass('call_answer', { sdp: this.peer.localDescription.sdp })
      case 'call_answer':
        await this.peer.setRemoteDescription({ type: 'answer', sdp: frame.sdp })
        return this.#addEarly()
      case 'call_candidate':
        if (this.peer?.remoteDescription) return this.peer.addIceCandidate(frame.candidate)
        this.#early.push(frame.candidate)
        return
      case 'call_resume':
        if (this.isCaller) await this.#offer(true)
        return
      case 'call_answered_elsewhere':
        return this.#end(null)
      case 'call_end':
        return this.#end({ outcome: frame.outcome, duration: frame.duration })
    }
  }

  async #addEarly() {
    for (const candidate of this.#early.splice(0)) await this.peer.addIceCandidate(candidate)
  }

  #end(last) {
    this.peer?.close()
    for (const track of this.local?.getTracks() ?? []) track.stop()
    this.#early = []
    this.#become('idle', { last, callId: null, peer: null, local: null, remote: null })
  }

  #become(state, changes) {
    Object.assign(this, { state }, changes)
    this.onChange()
  }
}
