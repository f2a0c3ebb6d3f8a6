/** Photos of places: hills, water, snow and the night, in layers of colour. */
import {
  at,
  below,
  blur,
  circle,
  ellipse,
  group,
  linear,
  mix,
  type Picture,
  path,
  type Random,
  radial,
  rect,
  seeded,
  skyline,
  stroke,
  times,
} from './svg.ts'

const WIDE = { width: 1600, height: 1067 }

/** Blue ridges one behind the other, and the sun just over the last. */
export function dawn(): Picture {
  const random = seeded(11)
  const ridges = times(7, (n) => {
    const line = skyline(random, { width: 1600, y: 500 + n * 84, height: 120 + n * 12 })
    return path(below(line, 1067), `url(#r${n})`)
  })
  const shades = times(7, (n) => {
    const color = mix('#d9917c', '#0e2a38', (n / 6) ** 0.8)
    return linear(`r${n}`, [color, mix(color, '#f4c3a0', 0.6 - n * 0.07)])
  })
  return {
    ...WIDE,
    grain: 0.16,
    defs:
      linear('sky', ['#31576e', '#7f93a0', '#f1b07d', '#ffd9a0']) +
      radial('glow', ['#fff3cf', '#ffdf9e 0.55', '#ffcf8a 0']) +
      shades.join(''),
    body:
      rect(0, 0, 1600, 1067, 'url(#sky)') +
      circle(1080, 470, 420, 'url(#glow)') +
      circle(1080, 470, 46, '#fff6dc') +
      ridges.join(''),
  }
}

/** A fir, from its top down. */
function fir(x: number, bottom: number, height: number, color: string, random: Random): string {
  const half = height * 0.2
  const steps = 7
  const side = (sign: number) =>
    times(steps, (n) => {
      const share = (n + 1) / steps
      const y = bottom - height * (1 - share)
      const wide = half * share * (0.85 + random() * 0.3)
      return `L${at(x + sign * wide)} ${at(y)}L${at(x + sign * wide * 0.45)} ${at(y - height * 0.012)}`
    })
  const right = side(1).join('')
  const left = side(-1).join('')
  return (
    path(`M${at(x)} ${at(bottom - height)}${right}L${at(x)} ${at(bottom)}Z`, color) +
    path(`M${at(x)} ${at(bottom - height)}${left}L${at(x)} ${at(bottom)}Z`, color)
  )
}

/** A wood in the morning, each row of firs paler than the one before it. */
export function fog(): Picture {
  const random = seeded(23)
  const rows = times(6, (n) => {
    const color = mix('#bccac8', '#173230', n / 5)
    const y = 470 + n * 118
    const line = skyline(random, { width: 1600, y, height: 70, detail: 4 })
    const firs = line
      .filter((_, index) => index % Math.max(2, 6 - n) === 0)
      .map(([x, top]) => fir(x + random() * 14, top + 26, (90 + n * 34) * (0.6 + random() * 0.8), color, random))
    const mist = rect(0, y - 20, 1600, 260, 'url(#mist)', { opacity: String(0.85 - n * 0.12) })
    return firs.join('') + path(below(line, 1067), color) + (n < 5 ? mist : '')
  })
  return {
    ...WIDE,
    grain: 0.18,
    defs: linear('sky', ['#dfe6e1', '#eef0e6', '#d3dcd8']) + linear('mist', ['#e9eee9 0', '#e9eee9 0.9', '#e9eee9 0']),
    body: rect(0, 0, 1600, 1067, 'url(#sky)') + circle(480, 250, 60, '#fffdf3', { opacity: '0.8' }) + rows.join(''),
  }
}

/** Hills and the evening in a lake that lies still. */
export function lake(): Picture {
  const random = seeded(41)
  const far = below(skyline(random, { width: 1600, y: 430, height: 170 }), 560)
  const near = below(skyline(random, { width: 1600, y: 505, height: 70 }), 560)
  const shore = path(far, 'url(#far)') + path(near, '#2b2f4a')
  const ripples = times(60, () => {
    const y = 570 + random() ** 1.6 * 480
    const length = 40 + random() * 240 * ((y - 500) / 500)
    const x = random() * 1600
    return stroke(`M${at(x)} ${at(y)}h${at(length)}`, random() < 0.6 ? '#ffe2c4' : '#3a3358', 1 + (y - 560) / 260, {
      opacity: at(0.1 + random() * 0.25),
    })
  })
  const glitter = times(26, (n) => {
    const half = 16 + random() * (20 + n * 4)
    return stroke(
      `M${at(560 - half + random() * 20)} ${at(562 + n * n * 0.55)}h${at(half * 2)}`,
      '#ffe9c6',
      2 + n * 0.12,
      {
        opacity: at(0.75 - n * 0.02),
      },
    )
  })
  return {
    ...WIDE,
    grain: 0.16,
    defs:
      linear('sky', ['#2c3566', '#8a5a87', '#e98a76', '#ffc98b']) +
      linear('water', ['#f6b384', '#c0707c', '#4c4175', '#232a52']) +
      linear('far', ['#5b4a74', '#84597d']) +
      radial('sun', ['#fff0cc', '#ffd494 0.6', '#ffb87a 0']),
    body:
      rect(0, 0, 1600, 560, 'url(#sky)') +
      circle(560, 470, 260, 'url(#sun)') +
      shore +
      rect(0, 555, 1600, 512, 'url(#water)') +
      group({ transform: 'translate(0 1112) scale(1 -1)', opacity: '0.42' }, shore) +
      glitter.join('') +
      ripples.join(''),
  }
}

/** A tent with a lamp in it under more stars than one can count. */
export function stars(): Picture {
  const random = seeded(67)
  const band = () => {
    const along = random()
    const off = (random() + random() + random() - 1.5) * 300
    return [along * 1600, 820 - along * 760 + off] as const
  }
  const points = times(1500, (n) => {
    const [x, y] = n % 2 ? band() : ([random() * 1600, random() * 900] as const)
    const bright = random() ** 5
    const color = ['#ffffff', '#cfe0ff', '#ffe9cf'][n % 3] ?? '#ffffff'
    return circle(x, y, 0.7 + bright * 2.6, color, { opacity: at(0.35 + random() * 0.65) })
  })
  const clouds = times(26, (n) =>
    ellipse(n * 64, 820 - n * 30.4, 170, 90, 'url(#milk)', { opacity: at(0.25 + random() * 0.4) }),
  )
  const hills = below(skyline(random, { width: 1600, y: 860, height: 120 }), 1067)
  const meadow = below(skyline(random, { width: 1600, y: 960, height: 36, detail: 3 }), 1067)
  return {
    ...WIDE,
    grain: 0.12,
    defs:
      linear('sky', ['#070b1d', '#0d1a3a', '#1f3a5c', '#4a5f74']) +
      radial('milk', ['#a9b8e6 0.35', '#8894cf 0.12', '#8894cf 0']) +
      radial('lamp', ['#ffe7a8', '#ffb35c 0.5', '#ff9a3c 0']) +
      linear('tent', ['#ffd27d', '#e2713d']),
    body:
      rect(0, 0, 1600, 1067, 'url(#sky)') +
      clouds.join('') +
      points.join('') +
      path(hills, '#0b1524') +
      circle(1010, 940, 210, 'url(#lamp)', { opacity: '0.55' }) +
      path('M905 985L1005 848L1118 985Z', 'url(#tent)') +
      path('M1005 848L1118 985L1162 970Z', '#8e3d2b') +
      path('M985 985L1005 905L1024 985Z', '#fff0c2') +
      path(meadow, '#060d16'),
  }
}

/** Two houses with their windows lit, birches, and snow that comes down. */
export function winter(): Picture {
  const random = seeded(83)
  const ground = below(skyline(random, { width: 1600, y: 800, height: 60, detail: 3 }), 1067)
  const woods = times(70, (n) =>
    fir(n * 24 + random() * 20, 850, 190 + random() * 130, mix('#5c6f93', '#3c4f78', random()), random),
  )
  const house = (x: number, y: number, size: number) =>
    group(
      { transform: `translate(${x} ${y}) scale(${size})` },
      rect(0, 0, 260, 150, '#5a3a34') +
        times(7, (n) => rect(0, n * 22, 260, 3, '#47302d')).join('') +
        path('M-30 6L130 -110L290 6Z', '#dfe6f2') +
        path('M-30 6L130 -110L290 6L276 12L130 -92L-16 12Z', '#ffffff') +
        rect(196, -98, 30, 60, '#6b4a42') +
        [30, 105, 180]
          .map(
            (left) =>
              rect(left, 40, 50, 60, '#ffd483') +
              stroke(`M${left + 25} 40v60M${left} 70h50`, '#f7f2ea', 5) +
              rect(left - 5, 98, 60, 8, '#ffffff'),
          )
          .join(''),
    )
  const birches = [
    [170, 930, 560],
    [250, 960, 640],
    [1370, 950, 620],
    [1480, 925, 520],
  ].map(([x = 0, y = 0, height = 0]) => {
    const marks = times(14, () =>
      stroke(`M${at(x - 8 + random() * 6)} ${at(y - random() * height)}h${at(5 + random() * 8)}`, '#3b3f4d', 4),
    )
    const twigs = times(9, (n) => {
      const from = y - height * (0.45 + n * 0.06)
      const to = (n % 2 ? 1 : -1) * (60 + random() * 70)
      return stroke(`M${x} ${at(from)}q${at(to * 0.5)} -60 ${at(to)} -50`, '#4a4656', 4)
    })
    return twigs.join('') + stroke(`M${x} ${y}v-${height}`, '#eef0f4', 19) + marks.join('')
  })
  const flakes = times(260, () =>
    circle(random() * 1600, random() * 1067, 1.5 + random() ** 3 * 6, '#ffffff', { opacity: at(0.4 + random() * 0.6) }),
  )
  const smoke = times(9, (n) =>
    ellipse(835 + n * 16 + random() * 12, 520 - n * 44, 20 + n * 8, 16 + n * 6, '#dfe5f3', {
      opacity: at(0.5 - n * 0.05),
      filter: 'url(#soft)',
    }),
  )
  return {
    ...WIDE,
    grain: 0.12,
    defs:
      linear('sky', ['#39497c', '#7f80ad', '#dba6ae', '#f6cdb4']) +
      linear('snow', ['#dfe7f6', '#a9b9dc']) +
      blur('soft', 9) +
      radial('light', ['#ffcf7a 0.7', '#ffcf7a 0']),
    body:
      rect(0, 0, 1600, 1067, 'url(#sky)') +
      woods.join('') +
      path(ground, 'url(#snow)') +
      smoke.join('') +
      house(640, 690, 1.05) +
      house(1040, 740, 0.8) +
      ellipse(780, 880, 230, 46, 'url(#light)') +
      ellipse(1150, 885, 170, 34, 'url(#light)') +
      birches.join('') +
      flakes.join(''),
  }
}

/** Green light over the sea. */
export function aurora(): Picture {
  const random = seeded(97)
  const curtains = times(4, (n) => {
    const line = skyline(random, { width: 1600, y: 440 + n * 44, height: 190, detail: 4, steps: 80 })
    return line.map(([x, y]) => {
      const height = 240 + random() * 260
      const color = n % 2 ? 'url(#green)' : 'url(#mint)'
      return rect(x - 14, y - height, 28, height + 40, color, { opacity: at(0.1 + random() * 0.28) })
    })
  })
  const dots = times(300, () =>
    circle(random() * 1600, random() * 640, 0.8 + random() ** 6 * 2.6, '#ffffff', {
      opacity: at(0.3 + random() * 0.7),
    }),
  )
  const coast = skyline(random, { width: 1600, y: 690, height: 60 })
  const shine = times(46, () => {
    const y = 750 + random() * 300
    return stroke(`M${at(random() * 1600)} ${at(y)}h${at(30 + random() * 200)}`, '#7df0c0', 2 + (y - 740) / 90, {
      opacity: at(0.05 + random() * 0.2),
    })
  })
  return {
    ...WIDE,
    grain: 0.14,
    defs:
      linear('sky', ['#050b1c', '#0a2038', '#123f4a', '#1d5a55']) +
      linear('green', ['#8b5cf6 0', '#34d399 0.8', '#6ee7b7 0']) +
      linear('mint', ['#22d3ee 0', '#5eead4 0.7', '#a7f3d0 0']) +
      linear('sea', ['#1a5a58', '#0a2a35', '#061620']) +
      blur('soft', 9),
    body:
      rect(0, 0, 1600, 1067, 'url(#sky)') +
      dots.join('') +
      group({ filter: 'url(#soft)' }, curtains.flat().join('')) +
      rect(0, 735, 1600, 332, 'url(#sea)') +
      shine.join('') +
      path(below(coast, 746), '#06121c'),
  }
}
