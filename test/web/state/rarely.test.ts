import { expect, it } from 'bun:test'
import { rarely } from '../../../src/web/state/rarely.ts'

it('does at once what is asked for once, and what is asked for meanwhile once more', async () => {
  let done = 0
  let resolve = () => {}
  const act = rarely(20, () => {
    done++
    resolve()
  })
  const next = () => new Promise<void>((done) => (resolve = done))
  act()
  expect(done).toBe(1)
  const second = next()
  for (let i = 0; i < 5; i++) act()
  expect(done).toBe(1)
  await second
  expect(done).toBe(2)
  const third = next()
  act()
  await third
  expect(done).toBe(3)
})
