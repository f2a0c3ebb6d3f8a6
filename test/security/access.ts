/** Every route and every frame, asked as everybody: what the tables of test/access say is what is answered. */
import { FRAME_TYPES } from '../../src/realtime/frames.ts'
import type { Row } from '../access/answers.ts'
import { askFrame, askRoute, listRoutes, nameOf, seenBy } from '../access/ask.ts'
import { FRAME_ROLES, frameRows } from '../access/frame-table.ts'
import { rows } from '../access/table.ts'
import { createWorld, ROLES, takeSnapshot } from '../access/world.ts'
import { noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** The suites of test/access ask all in every run of the tests: the short form asks one of so many. */
const SHORT_SHARE = 12

async function askRow(server: TestServer, row: Row): Promise<string[]> {
  const violations: string[] = []
  const world = await createWorld(server)
  const before = JSON.stringify(await takeSnapshot(server, world))
  const judge = async (role: (typeof ROLES)[number], of: typeof world) => {
    const { status, error } = row.answers[role]
    const answer = await askRoute(server, row, role, seenBy(role, of))
    const isRight = answer.status === status && (error === undefined || answer.body?.error === error)
    if (!isRight) violations.push(`${nameOf(row)} as ${role}: ${answer.status} ${answer.body?.error ?? ''}`)
  }
  const changing = ROLES.filter((role) => row.changes && row.answers[role].error === undefined)
  for (const role of ROLES) if (!changing.includes(role)) await judge(role, world)
  if (JSON.stringify(await takeSnapshot(server, world)) !== before)
    violations.push(`${nameOf(row)}: one that was refused changed something`)
  for (const role of changing) await judge(role, await createWorld(server))
  return violations
}

async function askFrames(server: TestServer, chosen: typeof frameRows): Promise<string[]> {
  const violations: string[] = []
  for (const row of chosen) {
    const world = await createWorld(server)
    for (const role of FRAME_ROLES) {
      const { status, error } = row.answers[role]
      const answer = await askFrame(server, row, role, seenBy(role, world))
      const isRight = error === undefined ? answer.type === 'ack' : answer.status === status && answer.error === error
      if (!isRight) violations.push(`${nameOf(row)} as ${role}: ${JSON.stringify(answer).slice(0, 100)}`)
    }
  }
  return violations
}

export const accessMatrix: Scenario = {
  name: 'access-matrix',
  bar: '0 routes or frames untested, 0 answers other than the table says, as nine kinds of callers',
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const server = await startServer({ PASSWORD_HASH: 'argon2id' })
    const known = new Set([...rows.map(({ route }) => route), ...frameRows.map(({ type }) => type)])
    const all = [...(await listRoutes(server)), ...FRAME_TYPES]
    const untested = all.filter((name) => !known.has(name))
    const share = size === 'long' ? 1 : SHORT_SHARE
    const chosen = rows.filter((_, n) => n % share === 0)
    const chosenFrames = frameRows.filter((_, n) => n % share === 0)
    const violations: string[] = []
    for (const row of chosen) violations.push(...(await askRow(server, row)))
    violations.push(...(await askFrames(server, chosenFrames)))
    await server.stop()
    const asked = chosen.length * ROLES.length + chosenFrames.length * FRAME_ROLES.length
    const outcome = noneOf([...untested.map((name) => `${name} is in no table`), ...violations], asked, 'answers wrong')
    return {
      ...outcome,
      figure: `${untested.length} of ${all.length} untested; ${violations.length} of ${asked} answers wrong`,
    }
  },
}
