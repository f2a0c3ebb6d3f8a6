import { describe, expect, it } from 'bun:test'
import { createTidying } from '../../src/realtime/tidying.ts'

/** A collection is so many ms of work, and the machine's others have the processor for some more. */
function create({ collectionMs = 10, othersMs = 0 } = {}) {
  let time = 0
  let worked = 0
  let collections = 0
  const collect = () => {
    collections++
    worked += collectionMs
    time += collectionMs + othersMs
  }
  const tidying = createTidying(
    collect,
    () => time,
    () => worked,
  )
  return {
    collections: () => collections,
    look: tidying.look,
    wait: (ms: number) => {
      time += ms
    },
    work: (ms: number) => {
      worked += ms
      time += ms + othersMs
    },
    open: (count: number) => {
      for (let n = 0; n < count; n++) tidying.noteOpening()
    },
  }
}

describe('the garbage of sockets that open', () => {
  it('is collected when it is that of many', () => {
    const { open, collections } = create()
    open(10)
    expect(collections()).toBe(0)
    open(90)
    expect(collections()).toBe(1)
  })

  it('is collected no more often than leaves four fifths of the work for the rest', () => {
    const { open, work, collections } = create()
    for (let n = 0; n < 400; n++) {
      open(100)
      work(1)
    }
    // 10 ms each, beside 400 ms of work.
    expect(collections()).toBe(10)
  })

  it('is collected neither less nor more often on a machine that has much else to do', () => {
    const { open, work, collections } = create({ othersMs: 200 })
    for (let n = 0; n < 400; n++) {
      open(100)
      work(1)
    }
    expect(collections()).toBe(10)
  })

  it('is collected again and again while they come slowly', () => {
    const { open, work, wait, collections } = create()
    for (let n = 0; n < 500; n++) {
      open(1)
      work(2)
      wait(100)
    }
    expect(collections()).toBe(20)
  })

  it('is left to the engine for a minute where collecting it would stop everything for long', () => {
    const { open, work, collections } = create({ collectionMs: 100 })
    for (let n = 0; n < 59; n++) {
      open(100)
      work(1000)
    }
    expect(collections()).toBe(1)
    work(1000)
    open(100)
    expect(collections()).toBe(2)
  })

  it('of the last ones is collected once, when no more come', () => {
    const { open, wait, look, collections } = create()
    open(100)
    expect(collections()).toBe(1)
    wait(5500)
    look()
    expect(collections()).toBe(1)
    for (let n = 0; n < 9; n++) {
      wait(1000)
      look()
    }
    expect(collections()).toBe(2)
  })

  it('of a few is not worth it', () => {
    const { open, wait, look, collections } = create()
    open(20)
    wait(10_000)
    look()
    expect(collections()).toBe(0)
  })

  it('of the last ones waits where collecting it stopped everything for long a moment ago', () => {
    const { open, wait, look, collections } = create({ collectionMs: 100 })
    open(100)
    for (let n = 0; n < 59; n++) {
      wait(1000)
      look()
    }
    expect(collections()).toBe(1)
    wait(1000)
    look()
    expect(collections()).toBe(2)
  })
})
