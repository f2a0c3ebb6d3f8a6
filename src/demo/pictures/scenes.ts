/** Photos from near by: the harbour, a table, a windowsill. */
import {
  at,
  blur,
  circle,
  ellipse,
  group,
  linear,
  mix,
  type Picture,
  path,
  radial,
  rect,
  seeded,
  stroke,
  times,
} from './svg.ts'

/** Masts and gables in the afternoon, and both again in the water. */
export function harbour(): Picture {
  const random = seeded(151)
  const plaster = ['#e9b872', '#d97757', '#f1e3c8', '#8fb3a6', '#c95d4b', '#f4cf8f', '#9cb9cf', '#e7d7b8']
  const gables = times(11, (n) => {
    const [x, width, height] = [n * 148 - 10, 142, 200 + random() * 90]
    const [top, wall] = [560 - height, plaster[(n * 3) % plaster.length] ?? '#e9b872']
    const roof = path(
      `M${x - 6} ${at(top + 2)}L${x + width / 2} ${at(top - 74)}L${x + width + 6} ${at(top + 2)}Z`,
      mix('#7a3b30', '#54322f', random()),
    )
    const rows = Math.floor(height / 74)
    const windows = times(rows * 3, (k) => {
      const [left, up] = [x + 18 + (k % 3) * 40, top + 22 + Math.floor(k / 3) * 68]
      return rect(left, up, 26, 38, random() < 0.25 ? '#ffe2a0' : '#3e5867') + rect(left - 3, up + 38, 32, 5, '#fff7e6')
    })
    return (
      rect(x, top, width, height, wall) +
      rect(x + width * 0.7, top, width * 0.3, height, '#3a2a35', { opacity: '0.1' }) +
      roof +
      windows.join('')
    )
  })
  const boat = (x: number, y: number, size: number, hull: string, sail: string) =>
    group(
      { transform: `translate(${x} ${y}) scale(${size})` },
      stroke('M0 0V-330', '#5b4030', 8) +
        stroke('M0 -330L-130 -6M0 -330L140 -6', '#5b4030', 2) +
        path('M10 -300Q70 -170 130 -36H10Z', sail) +
        path('M-150 -10H160L122 58H-110Z', hull) +
        stroke('M-140 6H150', '#fff4de', 6) +
        rect(-70, -44, 60, 36, '#fff4de') +
        rect(-56, -36, 30, 16, '#3e5867'),
    )
  const boats =
    boat(330, 690, 1, '#1f5c66', '#fff8ec') +
    boat(770, 660, 0.72, '#b5452f', '#f6d9a4') +
    boat(1210, 720, 1.12, '#28405c', '#fdf3e1')
  const quay = rect(0, 556, 1600, 34, '#8a7867') + rect(0, 556, 1600, 8, '#b8a48e')
  const town = gables.join('') + quay
  const ripples = times(150, () => {
    const y = 600 + random() * 460
    const color = ['#fff1cf', '#3d7480', '#f0b98a'][Math.floor(random() * 3)] ?? '#fff1cf'
    return stroke(`M${at(random() * 1600)} ${at(y)}h${at(24 + random() * 130)}`, color, 2 + (y - 600) / 130, {
      opacity: at(0.12 + random() * 0.35),
    })
  })
  const gulls = [
    [420, 120],
    [520, 168],
    [1010, 90],
  ].map(([x, y]) => stroke(`M${x} ${y}q18 -20 34 0q16 -20 34 0`, '#fdfaf2', 5))
  return {
    width: 1600,
    height: 1067,
    grain: 0.16,
    defs:
      linear('sky', ['#6fa8bd', '#bcd3cf', '#f8dfb4']) +
      linear('water', ['#7fa9a8', '#3f7f8b', '#1d5567']) +
      blur('soft', 5),
    body:
      rect(0, 0, 1600, 1067, 'url(#sky)') +
      town +
      rect(0, 588, 1600, 479, 'url(#water)') +
      group({ transform: 'translate(0 1178) scale(1 -1)', opacity: '0.4', filter: 'url(#soft)' }, gables.join('')) +
      group({ transform: 'translate(0 1440) scale(1 -1)', opacity: '0.25', filter: 'url(#soft)' }, boats) +
      ripples.join('') +
      boats +
      gulls.join(''),
  }
}

const WOOD = ['#8a5a3a', '#93613f', '#835437', '#9a6845']
function boards(): string {
  const random = seeded(163)
  return times(8, (n) => {
    const y = n * 150
    const grains = times(16, () =>
      stroke(
        `M${at(random() * 1400)} ${at(y + 8 + random() * 134)}q${at(80 + random() * 160)} ${at(random() * 10 - 5)} ${at(160 + random() * 360)} 0`,
        '#5f3b25',
        2,
        { opacity: at(0.15 + random() * 0.25) },
      ),
    )
    return (
      rect(0, y, 1600, 150, WOOD[n % 4] ?? '#8a5a3a') +
      grains.join('') +
      rect(0, y + 146, 1600, 4, '#4a2c1b', { opacity: '0.6' })
    )
  }).join('')
}

/** Round loaves, just out of the oven. */
export function bread(): Picture {
  const random = seeded(173)
  const loaf = (x: number, y: number, r: number, turn: number) => {
    const cuts = times(4, (n) => {
      const off = (n - 1.5) * r * 0.36
      const half = Math.sqrt(Math.max(0, r * r * 0.7 - off * off))
      return path(
        `M${at(-half)} ${at(off)}Q0 ${at(off - r * 0.17)} ${at(half)} ${at(off)}Q0 ${at(off + r * 0.06)} ${at(-half)} ${at(off)}Z`,
        '#f7e3bd',
      )
    })
    const flour = times(170, () => {
      const [angle, reach] = [random() * 6.3, r * 0.93 * Math.sqrt(random())]
      return circle(reach * Math.cos(angle), reach * Math.sin(angle), 1 + random() * 4, '#fff8ea', {
        opacity: at(0.2 + random() * 0.5),
      })
    })
    return (
      ellipse(x + 16, y + 26, r * 1.05, r, '#2c170c', { opacity: '0.45', filter: 'url(#soft)' }) +
      group(
        { transform: `translate(${x} ${y}) rotate(${turn})` },
        circle(0, 0, r, 'url(#crust)') + cuts.join('') + flour.join(''),
      )
    )
  }
  const seeds = times(90, () =>
    ellipse(60 + random() * 1480, 40 + random() * 1120, 7, 4, '#e9c27a', { opacity: '0.8' }),
  )
  return {
    width: 1600,
    height: 1200,
    grain: 0.22,
    defs:
      radial('crust', ['#e8ad62', '#d18a41', '#9c5521']) +
      blur('soft', 16) +
      radial('shade', ['#000000 0', '#000000 0', '#1a0c05 0.55']),
    body:
      boards() +
      seeds.join('') +
      path('M-40 820L560 640L760 1260L-40 1260Z', '#e9e2d2') +
      times(7, (n) =>
        stroke(
          `M${-40 + n * 96} ${at(820 - n * 29)}L${160 + n * 92} 1260`,
          n % 3 ? '#d3cab6' : '#b5614a',
          n % 3 ? 5 : 9,
          { opacity: '0.7' },
        ),
      ).join('') +
      loaf(520, 500, 300, -24) +
      loaf(1120, 420, 250, 40) +
      loaf(1040, 900, 265, 12) +
      rect(0, 0, 1600, 1200, 'url(#shade)'),
  }
}

/** A bowl of the first tomatoes. */
export function tomatoes(): Picture {
  const random = seeded(181)
  const reds = ['#d93c2b', '#e4572e', '#c72c2c', '#f08a24', '#f2b632']
  const fruits = times(15, (n) => {
    const ring = n < 9 ? { count: 9, reach: 250 } : { count: 6, reach: 112 }
    const angle = ((n % ring.count) / ring.count) * Math.PI * 2 + (n < 9 ? 0 : 0.5)
    const r = 88 + random() * 22
    return {
      x: 800 + ring.reach * Math.cos(angle),
      y: 600 + ring.reach * Math.sin(angle),
      r,
      color: reds[Math.floor(random() ** 1.6 * 5)] ?? '#d93c2b',
      turn: random() * 360,
    }
  })
  const drawn = fruits.map(({ x, y, r, color, turn }) => {
    const leaves = times(5, (k) =>
      group(
        { transform: `rotate(${k * 72})` },
        path(
          `M0 0q${at(r * 0.1)} ${at(-r * 0.28)} 0 ${at(-r * 0.52)}q${at(-r * 0.12)} ${at(r * 0.22)} 0 ${at(r * 0.52)}`,
          '#3f7d3a',
        ),
      ),
    )
    return group(
      { transform: `translate(${at(x)} ${at(y)}) rotate(${at(turn)})` },
      circle(6, 8, r, '#40100c', { opacity: '0.35' }) +
        circle(0, 0, r, color) +
        group(
          { transform: `rotate(${at(-turn)})` },
          ellipse(-r * 0.34, -r * 0.4, r * 0.3, r * 0.18, '#ffffff', {
            opacity: '0.5',
            transform: `rotate(-35 ${at(-r * 0.34)} ${at(-r * 0.4)})`,
          }),
        ) +
        leaves.join(''),
    )
  })
  const leaf = (x: number, y: number, turn: number) =>
    group(
      { transform: `translate(${x} ${y}) rotate(${turn})` },
      path('M0 0Q60 -70 150 -40Q230 -10 280 0Q230 30 150 50Q60 70 0 0Z', '#4c8a45') + stroke('M0 0H270', '#2f6a33', 5),
    )
  return {
    width: 1600,
    height: 1200,
    grain: 0.18,
    defs:
      radial('bowl', ['#2b6f86', '#3b87a0', '#1f5d75']) +
      blur('soft', 18) +
      radial('cloth', ['#f6efe0', '#efe5d0', '#dccdb0']),
    body:
      rect(0, 0, 1600, 1200, 'url(#cloth)') +
      times(16, (n) => rect(n * 110, 0, n % 2 ? 16 : 5, 1200, '#7fa2a8', { opacity: '0.25' })).join('') +
      leaf(1130, 250, -30) +
      leaf(260, 930, 155) +
      ellipse(826, 640, 460, 452, '#5b4a33', { opacity: '0.45', filter: 'url(#soft)' }) +
      circle(800, 600, 445, '#f4f0e6') +
      circle(800, 600, 425, 'url(#bowl)') +
      circle(800, 600, 385, '#1b5167', { opacity: '0.6' }) +
      drawn.join('') +
      circle(240, 260, 96, '#e4572e') +
      ellipse(206, 222, 30, 18, '#ffffff', { opacity: '0.5', transform: 'rotate(-35 206 222)' }) +
      times(5, (k) =>
        group({ transform: `translate(240 260) rotate(${k * 72})` }, path('M0 0q9 -27 0 -50q-11 21 0 50', '#3f7d3a')),
      ).join(''),
  }
}

/** A cat on a windowsill, who looks at the evening and at nobody else. */
export function cat(): Picture {
  const random = seeded(191)
  const towers = times(15, (n) => {
    const [width, height] = [90 + random() * 60, 130 + random() * 240]
    const x = n * 104 - 20
    const lights = times(12, () =>
      rect(x + 12 + random() * (width - 36), 800 - random() * (height - 30), 12, 16, '#ffd98a', {
        opacity: at(0.4 + random() * 0.6),
      }),
    )
    return rect(x, 860 - height, width, height, mix('#5d4a72', '#3d3a60', random())) + lights.join('')
  })
  const pane = (x: number) => rect(x, 60, 26, 800, '#f4ece0')
  const plant = times(9, (n) =>
    group(
      { transform: `translate(330 730) rotate(${-64 + n * 16})` },
      path('M0 0Q-26 -110 0 -220Q26 -110 0 0Z', n % 2 ? '#3f7d5a' : '#2f6650'),
    ),
  )
  return {
    width: 1600,
    height: 1067,
    grain: 0.2,
    defs:
      linear('sky', ['#4b4f86', '#b76e8e', '#f39b73', '#ffd08a']) +
      linear('wall', ['#6d4c4a', '#4f3638']) +
      radial('sun', ['#fff2c9', '#ffd58a 0.7', '#ffb56b 0']) +
      linear('sill', ['#fff7ea', '#d9c8b2']),
    body:
      rect(0, 0, 1600, 1067, 'url(#wall)') +
      rect(110, 60, 1380, 800, 'url(#sky)') +
      circle(1130, 560, 260, 'url(#sun)') +
      group({ 'clip-path': 'inset(0)' }, towers.join('')) +
      rect(0, 60, 110, 800, 'url(#wall)') +
      rect(1490, 60, 110, 800, 'url(#wall)') +
      pane(100) +
      pane(787) +
      pane(1476) +
      rect(100, 50, 1402, 24, '#f4ece0') +
      rect(100, 380, 1402, 14, '#f4ece0') +
      rect(50, 850, 1500, 52, 'url(#sill)') +
      rect(50, 902, 1500, 14, '#2a1a1c', { opacity: '0.4' }) +
      plant.join('') +
      path('M258 730H402L384 852H276Z', '#c8643f') +
      rect(248, 716, 164, 30, '#d97a52') +
      path(
        'M900 852C860 700 880 560 960 486C962 452 956 416 950 376C986 392 1012 412 1030 436C1050 430 1074 430 1094 436C1110 410 1136 390 1170 374C1166 414 1162 450 1164 486C1244 560 1268 700 1226 852Z',
        '#1d1721',
      ) +
      stroke('M1218 838C1330 846 1392 800 1376 730C1366 690 1330 690 1322 716', '#1d1721', 34) +
      stroke('M1190 560C1236 640 1246 740 1222 836', '#f6b184', 6, { opacity: '0.7' }),
  }
}
