/** How many connections the stand-in is best given: what its three ways make of different pools, before it is compared. */
import { startLoad } from '../load/start.ts'
import { type Part, rotate, Samples, Undo } from '../part.ts'
import { pairsOf } from '../people.ts'
import { POOL_MAX, startStandIn } from '../systems/stand-in.ts'
import { CONTENT, type Contestant, inTurn, measureSaturated } from './contestants.ts'

const USERS = 200
const WINDOW = 16
const VARIANTS = ['plain', 'tuned', 'guarantees'] as const
const SIZES = [5, POOL_MAX, 20, 40]

export const pools: Part = {
  name: 'pools',
  title: `the stand-in with pools of ${SIZES.join(', ')} connections`,
  isSeparate: true,
  prepare({ postgres, seconds }) {
    const undo = new Undo()
    return undo.guard(async () => {
      const userIds = Array.from({ length: USERS }, () => Bun.randomUUIDv7())
      const chats = pairsOf(userIds).map((pair) => ({ id: Bun.randomUUIDv7(), userIds: pair }))
      const contestants: Contestant[] = []
      for (const variant of VARIANTS) {
        for (const size of SIZES) {
          const server = await startStandIn(postgres, undo, variant, { userIds, chats }, size)
          const members = chats.flatMap((chat) =>
            chat.userIds.map((id) => ({ url: server.url, token: server.tokenOf(id), chatId: chat.id })),
          )
          const load = await startLoad({ protocol: 'stand-in', members, content: CONTENT, copies: 1 })
          undo.add(load.stop)
          contestants.push({ name: `${variant}, ${size} connections`, server, load })
        }
      }
      const samples = new Samples()
      for (const { server, load } of contestants) await inTurn(contestants, server, () => load.saturate(WINDOW, 1))
      const key = (variant: string, size: number) => `${variant}, ${size} connections, window ${WINDOW}: acknowledged/s`
      let rounds = 0
      return {
        samples,
        rows: () =>
          VARIANTS.flatMap((variant) =>
            SIZES.map((size) => ({
              what: `${variant} stand-in with ${size} connections, messages/s`,
              unit: '/s',
              ours: samples.of(key(variant, size)),
              against: { name: `with ${POOL_MAX}`, values: samples.of(key(variant, POOL_MAX)) },
            })),
          ),
        async round() {
          for (const one of rotate(contestants, rounds++)) {
            await inTurn(contestants, one.server, () => measureSaturated(one, postgres, WINDOW, seconds, samples))
          }
        },
        stop: undo.run,
      }
    })
  },
}
