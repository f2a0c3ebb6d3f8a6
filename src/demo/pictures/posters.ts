/** What people made at a table: posters, plans, patterns and charts. */
import { write } from './letters.ts'
import { at, circle, group, linear, mix, type Picture, path, rect, seeded, stroke, times } from './svg.ts'

interface Colors {
  paper: string
  sun: string
  sea: readonly [string, string, string]
  sail: string
  other: string
  ink: string
}

function fairPoster({ paper, sun, sea, sail, other, ink }: Colors, isLarge: boolean): Picture {
  const waves = times(6, (n) => {
    const y = 1130 + n * 82
    const crests = times(18, (k) => `q50 ${k % 2 ? 44 : -44} 100 0`).join('')
    return path(`M${-60 - n * 37} ${y}${crests}V1600H-60Z`, sea[n % 3] ?? ink)
  })
  const flags = times(13, (n) => {
    const x = 28 + n * 96
    const y = 92 + Math.sin((n / 12) * Math.PI) * 62
    return path(`M${x} ${at(y)}h70l-35 74Z`, [sun, sea[0], other][n % 3] ?? sun)
  })
  const boat =
    path('M600 470L600 1010L250 1010Z', sail) +
    path('M632 540L632 1010L910 1010Z', other) +
    stroke('M616 430V1060', ink, 14) +
    path('M230 1050H960L860 1180H350Z', ink) +
    stroke('M300 1086H905', paper, 9)
  const title = isLarge
    ? write('HARBOUR FAIR', { x: 600, y: 250, height: 94, color: ink, weight: 17, align: 'middle' })
    : write('HARBOUR FAIR', { x: 600, y: 262, height: 58, color: ink, weight: 8, align: 'middle' })
  return {
    width: 1200,
    height: 1600,
    grain: 0.1,
    body:
      rect(0, 0, 1200, 1600, paper) +
      circle(760, 720, 300, sun) +
      stroke('M0 84Q600 250 1200 84', ink, 5) +
      flags.join('') +
      title +
      boat +
      waves.join('') +
      write('SATURDAY 12 - 18', { x: 600, y: 1492, height: 42, color: paper, weight: 7, align: 'middle' }),
  }
}

const SEA = ['#0f6b6b', '#12857f', '#0a4f57'] as const
/** The first draft: pale, with a small title. */
export const posterDraft = () =>
  fairPoster(
    {
      paper: '#e9eff0',
      sun: '#f3d9a4',
      sea: ['#6fa3b5', '#86b6c4', '#5a8ea3'],
      sail: '#ffffff',
      other: '#c9dbe2',
      ink: '#37566b',
    },
    false,
  )
/** What became of it. */
export const poster = () =>
  fairPoster({ paper: '#fbeedb', sun: '#f47d5b', sea: SEA, sail: '#fffaf0', other: '#f6bb45', ink: '#15323d' }, true)

/** The lines of a small boat, as one draws them before sawing anything. */
export function boatPlan(): Picture {
  const blue = '#123f63'
  const line = '#d9ecf7'
  const grid = times(33, (n) => stroke(`M${n * 50} 0V1067`, line, n % 4 ? 1 : 2, { opacity: '0.13' })).concat(
    times(22, (n) => stroke(`M0 ${n * 50}H1600`, line, n % 4 ? 1 : 2, { opacity: '0.13' })),
  )
  const side = times(5, (n) =>
    stroke(`M${190 + n * 16} ${270 + n * 34}Q760 ${420 + n * 30} 1390 ${236 + n * 40}`, line, n === 0 ? 5 : 2),
  )
  const frames = times(9, (n) => {
    const x = 270 + n * 126
    const top = 300 + Math.sin(((n + 1) / 10) * Math.PI) * 58 - (n > 6 ? (n - 6) * 14 : 0)
    return stroke(`M${x} ${at(top)}V${at(430 + Math.sin(((n + 1) / 10) * Math.PI) * 30)}`, line, 2, {
      'stroke-dasharray': '10 7',
    })
  })
  const plan = times(4, (n) => {
    const half = 150 - n * 38
    return stroke(`M190 790Q700 ${790 - half * 1.9} 1400 790Q700 ${790 + half * 1.9} 190 790`, line, n === 0 ? 5 : 2)
  })
  const ribs = times(9, (n) => {
    const half = 128 * Math.sin(((n + 1.2) / 10.6) * Math.PI)
    return stroke(`M${270 + n * 126} ${at(790 - half)}V${at(790 + half)}`, line, 2, { 'stroke-dasharray': '10 7' })
  })
  return {
    width: 1600,
    height: 1067,
    grain: 0.1,
    body:
      rect(0, 0, 1600, 1067, blue) +
      grid.join('') +
      side.join('') +
      stroke('M190 270L262 412Q760 560 1320 470L1390 236', line, 5) +
      frames.join('') +
      plan.join('') +
      ribs.join('') +
      stroke('M130 790H1470', line, 2, { 'stroke-dasharray': '26 9 5 9' }) +
      stroke('M190 560H1390M190 546V574M1390 546V574', line, 2) +
      rect(700, 540, 190, 40, blue) +
      write('4.60 M', { x: 795, y: 546, height: 28, color: line, align: 'middle' }) +
      write('OTTER', { x: 130, y: 110, height: 46, color: line, weight: 6 }) +
      write('DINGHY FOR TWO AND A DOG', { x: 130, y: 182, height: 22, color: line }),
  }
}

/** Stars of eight points and the crosses between them. */
export function tiles(): Picture {
  const glaze = ['#0f5e7a', '#147a8c', '#0c4a6b', '#1b8f93']
  const random = seeded(131)
  const star = (x: number, y: number, r: number, fill: string) =>
    path(
      `M${times(16, (n) => {
        const reach = n % 2 ? r * 0.765 : r
        const angle = (n * Math.PI) / 8
        return `${at(x + reach * Math.cos(angle))} ${at(y + reach * Math.sin(angle))}`
      }).join('L')}Z`,
      fill,
      { stroke: '#f3e6c8', 'stroke-width': '9', 'stroke-linejoin': 'round' },
    )
  const size = 200
  const cells = times(9 * 7, (n) => {
    const [x, y] = [(n % 9) * size, Math.floor(n / 9) * size]
    const blue = glaze[Math.floor(random() * 4)] ?? '#0f5e7a'
    const petals = times(8, (k) =>
      group(
        { transform: `rotate(${k * 45} ${x} ${y})` },
        path(`M${x} ${y}q16 -34 0 -62q-16 28 0 62Z`, k % 2 ? '#f3e6c8' : '#e2a93b'),
      ),
    )
    return (
      star(x, y, 100, blue) +
      petals.join('') +
      circle(x, y, 11, '#8f2f2a') +
      circle(x + 100, y + 100, 26, '#e2a93b') +
      circle(x + 100, y + 100, 12, '#8f2f2a')
    )
  })
  return { width: 1600, height: 1200, grain: 0.22, body: rect(0, 0, 1600, 1200, '#b6583a') + cells.join('') }
}

/** Hours of a fair and how many came: last year's bars before this year's. */
export function visitors(): Picture {
  const lastYear = [40, 95, 160, 210, 240, 190, 120]
  const thisYear = [70, 150, 260, 355, 330, 270, 165]
  const [left, bottom, unit] = [190, 880, 1.72]
  const bars = thisYear.map((value, hour) => {
    const x = left + 40 + hour * 188
    const before = Number(lastYear[hour])
    const bar = (offset: number, amount: number, fill: string) =>
      rect(x + offset, bottom - amount * unit, 62, amount * unit, fill, { rx: 8 })
    const label = write(String(12 + hour), { x: x + 64, y: bottom + 28, height: 28, color: '#50605b', align: 'middle' })
    const top =
      hour === 3
        ? write(String(value), {
            x: x + 99,
            y: bottom - value * unit - 50,
            height: 32,
            color: '#0b6b5d',
            weight: 5,
            align: 'middle',
          })
        : ''
    return bar(0, before, '#c4d3ce') + bar(68, value, 'url(#bar)') + label + top
  })
  const lines = times(5, (n) => {
    const y = bottom - n * 100 * unit
    return (
      stroke(`M${left} ${at(y)}H1520`, '#dbe4e0', 2) +
      write(String(n * 100), { x: left - 24, y: y - 12, height: 24, color: '#7a8a84', align: 'end' })
    )
  })
  return {
    width: 1600,
    height: 1000,
    defs: linear('bar', ['#12907c', '#0b6b5d']),
    body:
      rect(0, 0, 1600, 1000, '#ffffff') +
      write('VISITORS BY THE HOUR', { x: 80, y: 62, height: 40, color: '#15201d', weight: 6 }) +
      rect(890, 66, 34, 34, '#c4d3ce', { rx: 6 }) +
      write('LAST YEAR', { x: 944, y: 69, height: 28, color: '#50605b' }) +
      rect(1210, 66, 34, 34, '#0b6b5d', { rx: 6 }) +
      write('THIS YEAR', { x: 1264, y: 69, height: 28, color: '#50605b' }) +
      lines.join('') +
      bars.join(''),
  }
}

type Point = readonly [number, number]
type Four = [Point, Point, Point, Point]

/** Heights of a walk, by the kilometre. */
export function climb(): Picture {
  const points = [120, 180, 260, 420, 610, 720, 705, 640, 790, 905, 880, 700, 520, 330, 190, 120]
  const place = (height: number, km: number) => [130 + km * 92, 860 - height * 0.72] as const
  const placeOf = (km: number) => place(Number(points[Math.max(0, Math.min(15, km))]), km)
  // Catmull and Rom's: through each point as its neighbours lie.
  const curve = points.map((_, km) => {
    const [[beforeX, beforeY], [fromX, fromY], [x, y], [nextX, nextY]] = [km - 2, km - 1, km, km + 1].map(
      placeOf,
    ) as Four
    if (km === 0) return `M${x} ${at(y)}`
    const [outX, outY] = [fromX + (x - beforeX) / 6, fromY + (y - beforeY) / 6]
    const [inX, inY] = [x - (nextX - fromX) / 6, y - (nextY - fromY) / 6]
    return `C${at(outX)} ${at(outY)} ${at(inX)} ${at(inY)} ${x} ${at(y)}`
  })
  const line = curve.join('')
  const labels = times(6, (n) =>
    write(String(n * 3), { x: 130 + n * 276, y: 892, height: 26, color: '#50605b', align: 'middle' }),
  )
  const heights = times(5, (n) => {
    const y = 860 - n * 250 * 0.72
    return (
      stroke(`M130 ${at(y)}H1510`, '#e2e8e5', 2) +
      write(String(n * 250), { x: 108, y: y - 11, height: 22, color: '#7a8a84', align: 'end' })
    )
  })
  const [x, y] = place(905, 9)
  return {
    width: 1600,
    height: 1000,
    defs: linear('hill', [mix('#0b6b5d', '#ffffff', 0.25), '#e8f4f0']),
    body:
      rect(0, 0, 1600, 1000, '#ffffff') +
      write('RIDGE LOOP', { x: 80, y: 56, height: 40, color: '#15201d', weight: 6 }) +
      write('15 KM - 5 H', { x: 1510, y: 60, height: 32, color: '#50605b', align: 'end' }) +
      heights.join('') +
      path(`${line}V860H130Z`, 'url(#hill)', { opacity: '0.9' }) +
      stroke(line, '#0b6b5d', 7) +
      circle(x, y, 15, '#e2713d', { stroke: '#ffffff', 'stroke-width': '6' }) +
      write('905', { x, y: y - 64, height: 30, color: '#e2713d', weight: 5, align: 'middle' }) +
      labels.join(''),
  }
}
