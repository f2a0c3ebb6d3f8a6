/** Two browsers on two instances, with nothing between them but the relay. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { tmpdir } from 'node:os'
import type { Page } from 'playwright-core'
import { startProcess } from '../faults/server-process.ts'
import { servePage } from '../features/calls/page/serve.ts'
import { act, addPair, ask, connect, heard, invite, nextRecord, readCall } from '../features/calls/support.ts'
import { startChromium, type TestBrowser } from '../support/chromium.ts'
import type { Json, TestUser } from '../support/client.ts'
import { startCoturn, type TestCoturn } from '../support/coturn.ts'
import { TEST_SECRET } from '../support/server.ts'
import { startTwo, type TwoInstances } from './support.ts'

let coturn: TestCoturn
let page: ReturnType<typeof servePage>
let two: TwoInstances
beforeAll(async () => {
  coturn = await startCoturn()
  page = servePage()
  const origin = `http://127.0.0.1:${page.port}`
  two = await startTwo({ TURN_URLS: coturn.urls, TURN_SECRET: coturn.secret, CORS_ORIGINS: origin })
})
afterAll(async () => {
  await two.stop()
  await page.stop(true)
  await coturn.stop()
})

describe('two browsers', () => {
  let browsers: TestBrowser[]
  beforeAll(async () => {
    browsers = await Promise.all([startChromium(), startChromium()])
  }, 60_000)
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.stop()))
  })

  /** The page on one browser, with the phone of `user` on one instance. */
  async function open(browser: TestBrowser | undefined, user: TestUser): Promise<Page> {
    if (!browser) throw new Error('No browser')
    const tab = await browser.context.newPage()
    await tab.goto(`http://127.0.0.1:${page.port}/`)
    await tab.evaluate(
      async ({ server, token }) => {
        // @ts-expect-error a module of the page
        const { Phone } = await import('/phone.js')
        const phone = new Phone({ server, token, policy: 'relay' })
        Object.assign(globalThis, { phone })
        await phone.open()
      },
      { server: user.serverUrl, token: user.token },
    )
    return tab
  }

  const run = (tab: Page, code: string): Promise<Json> => tab.evaluate(code)
  /** What there is to see where somebody waits in vain. */
  const standing = `JSON.stringify({
    state: phone.state, log: phone.log, peer: phone.peer && {
      connection: phone.peer.connectionState, ice: phone.peer.iceConnectionState, gathering: phone.peer.iceGatheringState,
      signaling: phone.peer.signalingState, tracks: phone.remote.getTracks().map(({ kind }) => kind),
    },
  })`
  const until = (tab: Page, condition: string) =>
    tab.waitForFunction(condition, undefined, { timeout: 30_000 }).catch(async (error) => {
      throw new Error(`${condition}: ${await run(tab, standing)}\n${coturn.log().slice(-4000)}`, { cause: error })
    })

  /** Waits for more bytes of each kind than there were. */
  async function expectMedia(tab: Page): Promise<void> {
    const before = await run(tab, 'phone.stats()')
    let after = before
    for (let i = 0; i < 100 && !(after.audio > before.audio && after.video > before.video); i++) {
      await Bun.sleep(200)
      after = await run(tab, 'phone.stats()')
    }
    expect(after.audio).toBeGreaterThan(before.audio)
    expect(after.video).toBeGreaterThan(before.video)
    expect(after.relayed).toBe(true)
  }

  it('on two instances call each other through the relay, survive a lost socket, and hang up', async () => {
    const { ann, ben, chatId } = await addPair(two.server)
    const [caller, callee] = [await open(browsers[0], two.on(ann)[0]), await open(browsers[1], two.on(ben)[1])]
    const watcher = await two.on(ben)[0].socket()

    await run(caller, `phone.call('${chatId}', 'video')`)
    await until(callee, "phone.state === 'ringing'")
    await run(callee, 'phone.accept()')
    for (const tab of [caller, callee]) {
      await until(tab, "phone.peer?.connectionState === 'connected' && phone.remote.getTracks().length === 2")
    }
    for (const tab of [caller, callee]) await expectMedia(tab)

    // The callee's socket is lost; it comes back, and the two find a way again.
    const callId = await run(callee, 'phone.callId')
    const device = (await readCall(two.server, callId)).callee_device
    await run(callee, 'phone.socket.close()')
    await until(callee, 'phone.socket.readyState === 1')
    for (let i = 0; (await readCall(two.server, callId)).callee_device === device; i++) {
      if (i > 100) throw new Error('It did not come back')
      await Bun.sleep(100)
    }
    for (const tab of [caller, callee]) await expectMedia(tab)

    await run(caller, 'phone.hangUp()')
    for (const tab of [caller, callee]) await until(tab, "phone.state === 'idle'")
    expect(await run(callee, 'phone.last')).toMatchObject({ outcome: 'completed' })
    const record = await nextRecord(watcher)
    expect(record).toMatchObject({ sender_id: ann.id, chat_id: chatId, call: { media: 'video', outcome: 'completed' } })
    expect(record.call.duration).toBeGreaterThan(0)
    expect((await ben.get(`/chats/${chatId}/messages`)).body.messages[0].id).toBe(record.id)
    expect(heard(watcher)).toEqual(['call_invite', 'call_answered_elsewhere'])
  }, 120_000)
})

describe('two instances', () => {
  it('let one device win, whichever it is on, and pass everything on to it alone', async () => {
    for (let round = 0; round < 5; round++) {
      const { ann, ben, chatId } = await addPair(two.server)
      const caller = await two.on(ann)[round % 2 ? 1 : 0].socket()
      const devices = await Promise.all([...two.on(ben), ...two.on(ben)].map((user) => user.socket()))
      const callId = await invite(caller, chatId)
      for (const device of devices) await device.next('call_invite')
      const answers = await Promise.all(devices.map((device) => ask(device, 'call_accept', callId)))
      const winners = devices.filter((_, index) => answers[index].type === 'ack')
      expect(winners).toHaveLength(1)
      await caller.next('call_accept')
      await ask(caller, 'call_offer', callId, { sdp: 'for one alone' })
      await winners[0]?.next('call_offer')
      for (const device of devices) {
        if (!winners.includes(device)) await device.next('call_answered_elsewhere')
        const expected = winners.includes(device) ? 'call_offer' : 'call_answered_elsewhere'
        expect(heard(device)).toEqual(['call_invite', expected])
      }
      for (const socket of [caller, ...devices]) await socket.close()
    }
  })

  it('let the earlier of two crossing invites ring', async () => {
    for (let round = 0; round < 8; round++) {
      const { ann, ben, chatId } = await addPair(two.server)
      const sockets = [await two.on(ann)[0].socket(), await two.on(ben)[1].socket()]
      const frame = { type: 'call_invite', chat_id: chatId, media: 'audio' }
      const answers = await Promise.all(sockets.map((socket) => socket.ask(frame)))
      expect(answers.map(({ type }) => type).sort()).toEqual(['ack', 'error'])
      const won = answers.findIndex(({ type }) => type === 'ack')
      const loser = sockets[1 - won]
      await loser?.next('call_invite')
      if (loser) await act(loser, 'call_accept', answers[won].call_id)
      await sockets[won]?.next('call_accept')
    }
  })

  it('let a device that was on one come back on the other', async () => {
    const { ann, ben, chatId } = await addPair(two.server)
    const [caller, callee] = [await two.on(ann)[0].socket(), await two.on(ben)[0].socket()]
    const callId = await invite(caller, chatId)
    await act(callee, 'call_accept', callId)
    await callee.close()
    const back = await two.on(ben)[1].socket()
    await act(back, 'call_resume', callId)
    await caller.next('call_resume')
    await ask(caller, 'call_offer', callId, { sdp: 'again' })
    expect(await back.next('call_offer')).toMatchObject({ sdp: 'again' })
    await act(back, 'call_end', callId)
    await caller.next('call_end')
  })

  it('and one that dies: its devices come back on another one, or their calls end', async () => {
    const { DATABASE_URL, REDIS_URL } = two.server.config
    const settings = { DATABASE_URL: String(DATABASE_URL), REDIS_URL: String(REDIS_URL), JWT_SECRET: TEST_SECRET }
    const dying = await startProcess(tmpdir(), settings)
    const pairs = [await addPair(two.server), await addPair(two.server)]
    const calls = await Promise.all(
      pairs.map(async ({ ann, ben, chatId }) => {
        const [caller, callee] = [await two.on(ann)[0].socket(), await ben.at(dying.url).socket()]
        return { ben, caller, callId: await connect(caller, callee, chatId) }
      }),
    )
    await dying.killServer()
    const [kept, lost] = calls
    if (!kept || !lost) throw new Error('Two calls')
    const back = await two.on(kept.ben)[1].socket()
    await act(back, 'call_resume', kept.callId)
    await kept.caller.next('call_resume')
    // Longer than an instance that lives would wait before it speaks for its devices again.
    const { sql } = two.server.database
    await sql`update calls set callee_until = now() + interval '7 s' where id in (${kept.callId}, ${lost.callId})`
    const ended = await lost.caller.next('call_end', undefined, 25_000)
    expect(ended).toMatchObject({ call_id: lost.callId, outcome: 'failed' })
    await kept.caller.settle()
    expect(kept.caller.all('call_end')).toEqual([])
    await act(back, 'call_end', kept.callId)
    await kept.caller.next('call_end')
  }, 60_000)

  it('make up, when Redis is back, for what could not be heard on the other one', async () => {
    const { ann, ben, chatId } = await addPair(two.server)
    const [caller, callee] = [await two.on(ann)[0].socket(), await two.on(ben)[1].socket()]
    await two.redis.kill()
    const callId = await invite(caller, chatId)
    await two.redis.start()
    expect(await callee.next('call_invite', undefined, 20_000)).toMatchObject({ call_id: callId })
    await two.redis.kill()
    await act(callee, 'call_accept', callId)
    await two.redis.start()
    await caller.next('resync', undefined, 20_000)
    expect(await act(caller, 'call_resume', callId)).toMatchObject({ state: 'active' })
  }, 60_000)
})
