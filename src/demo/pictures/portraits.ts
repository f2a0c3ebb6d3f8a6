/** Faces without features, told apart by hair, clothes and light; and pictures for those who show something else. */
import { circle, ellipse, group, linear, type Picture, path, radial, rect, stroke, times } from './svg.ts'

const SIZE = { width: 640, height: 640 }
type Hair = 'short' | 'bob' | 'bun' | 'long' | 'curls' | 'scarf' | 'cap' | 'bald' | 'waves' | 'fringe'

export interface Look {
  skin: string
  hair: Hair
  hairColor: string
  clothes: string
  /** From the top to the bottom. */
  light: readonly [string, string]
  hasGlasses?: true
  hasBeard?: true
}

const CAP = '#f4efe4'

/** What lies behind the head, and what lies before it. */
const HAIR: Record<Hair, (color: string) => readonly [behind: string, before: string]> = {
  short: (color) => [
    '',
    path(
      'M196 300C180 180 240 120 330 122C430 120 470 190 446 300C440 262 424 236 410 220C350 236 270 232 228 216C212 240 202 268 196 300Z',
      color,
    ),
  ],
  bob: (color) => [
    path('M180 420C150 200 220 110 322 112C430 112 490 210 462 420C430 446 214 446 180 420Z', color),
    path(
      'M204 300C206 214 250 180 342 172C400 190 430 230 438 300C452 210 420 140 322 138C226 140 190 214 204 300Z',
      color,
    ),
  ],
  bun: (color) => [
    circle(320, 92, 62, color),
    path(
      'M198 296C186 180 244 126 322 126C404 126 456 182 444 296C430 236 396 200 320 198C246 200 210 240 198 296Z',
      color,
    ),
  ],
  long: (color) => [
    path('M176 560C150 240 196 108 322 110C450 108 494 240 466 560Z', color),
    path(
      'M202 310C200 220 254 176 300 166C330 200 400 230 440 310C456 200 410 136 322 136C232 138 184 210 202 310Z',
      color,
    ),
  ],
  curls: (color) => [
    times(13, (n) =>
      circle(320 + 150 * Math.cos(2.6 + n * 0.34), 262 + 150 * Math.sin(2.6 + n * 0.34), 62, color),
    ).join(''),
    times(7, (n) => circle(222 + n * 33, 186 - Math.sin((n / 6) * 3.14) * 36, 38, color)).join(''),
  ],
  scarf: (color) => [
    path('M164 640C140 240 196 104 322 104C448 104 500 240 476 640Z', color),
    path(
      'M202 300C200 190 250 150 320 150C390 150 440 190 438 300C452 380 420 440 380 470L320 492L260 470C220 440 188 380 202 300ZM226 300C226 370 262 434 320 436C378 434 414 370 414 300C412 226 380 190 320 190C260 190 228 226 226 300Z',
      color,
      { 'fill-rule': 'evenodd' },
    ) +
      path('M226 380Q320 470 414 380L440 560H200Z', color) +
      ellipse(320, 308, 92, 126, 'none', { stroke: '#000000', 'stroke-opacity': '0.15', 'stroke-width': '6' }),
  ],
  cap: () => [
    '',
    path('M190 262C186 160 246 108 322 108C400 108 456 160 450 262Z', CAP) +
      path('M186 250C240 222 400 222 520 262C540 274 530 290 506 288C400 270 270 266 190 276Z', CAP) +
      circle(320, 110, 12, '#ffffff', { opacity: '0.5' }),
  ],
  bald: (color) => [
    '',
    path(
      'M196 320C190 280 196 250 206 230C214 268 212 300 214 330ZM444 320C450 280 444 250 434 230C426 268 428 300 426 330Z',
      color,
    ),
  ],
  waves: (color) => [
    path(
      'M172 470C190 400 140 340 176 260C170 160 240 106 322 108C420 106 476 170 466 260C500 340 450 400 470 470C440 500 200 500 172 470Z',
      color,
    ),
    path(
      'M200 306C204 236 230 200 262 172C320 214 400 200 440 306C450 196 410 134 322 134C232 136 190 206 200 306Z',
      color,
    ),
  ],
  fringe: (color) => [
    path('M190 400C156 200 226 112 322 112C424 112 484 200 450 400Z', color),
    path('M202 262C208 190 250 140 322 138C396 140 434 190 440 262C400 250 240 250 202 262Z', color),
  ],
}

export function portrait({ skin, hair, hairColor, clothes, light, hasGlasses, hasBeard }: Look): Picture {
  const [behind, before] = HAIR[hair](hairColor)
  const beard = path(
    'M204 320C206 430 256 474 320 474C384 474 434 430 436 320C424 372 396 392 372 384C350 374 290 374 268 384C244 392 216 372 204 320Z',
    hairColor,
  )
  const glasses = group(
    { fill: 'none', stroke: '#2a2530', 'stroke-width': '9' },
    circle(268, 316, 38, '#ffffff', { 'fill-opacity': '0.25' }) +
      circle(372, 316, 38, '#ffffff', { 'fill-opacity': '0.25' }) +
      stroke('M306 312q14 -10 28 0', '#2a2530', 9),
  )
  return {
    ...SIZE,
    grain: 0.06,
    defs: linear('light', light) + radial('halo', ['#ffffff 0.5', '#ffffff 0']),
    body:
      rect(0, 0, 640, 640, 'url(#light)') +
      circle(320, 280, 330, 'url(#halo)', { opacity: '0.6' }) +
      behind +
      path('M70 660C76 520 190 486 268 474H372C450 486 564 520 570 660Z', clothes) +
      path('M262 400H378V486C350 528 290 528 262 486Z', skin) +
      path('M262 440C290 470 350 470 378 440V470C350 500 290 500 262 470Z', '#000000', { opacity: '0.12' }) +
      ellipse(320, 308, 118, 142, skin) +
      ellipse(246, 360, 24, 15, '#e2554a', { opacity: '0.2' }) +
      ellipse(394, 360, 24, 15, '#e2554a', { opacity: '0.2' }) +
      stroke('M284 388Q320 416 356 388', '#3a2226', 7, { opacity: '0.55' }) +
      circle(272, 318, 8, '#2a2028') +
      circle(368, 318, 8, '#2a2028') +
      (hasBeard ? beard + stroke('M292 396Q320 414 348 396', '#fff4ea', 6, { opacity: '0.7' }) : '') +
      before +
      (hasGlasses ? glasses : ''),
  }
}

/** A hill and its path. */
export const hillMark = (): Picture => ({
  ...SIZE,
  defs: linear('light', ['#f9d29b', '#f4a67d']),
  body:
    rect(0, 0, 640, 640, 'url(#light)') +
    circle(440, 210, 82, '#fff3d6') +
    path('M-20 470L190 210L330 390L420 290L660 560V660H-20Z', '#2c6a63') +
    path('M190 210L246 282L206 300L176 272L140 272Z', '#fdf6e6') +
    path('M-20 560Q200 440 660 580V660H-20Z', '#174a49') +
    stroke('M300 660C280 600 380 580 340 530C310 500 350 480 342 452', '#fbe3b5', 16),
})

/** A note in a pan. */
export const choirMark = (): Picture => ({
  ...SIZE,
  defs: linear('light', ['#5b3a78', '#c2557a']),
  body:
    rect(0, 0, 640, 640, 'url(#light)') +
    circle(300, 340, 190, '#2a1d3c') +
    circle(300, 340, 160, '#3a2a50') +
    stroke('M440 210L560 92', '#2a1d3c', 46) +
    stroke('M286 420V232L380 208V392', '#ffd98a', 22) +
    ellipse(254, 424, 42, 32, '#ffd98a', { transform: 'rotate(-20 254 424)' }) +
    ellipse(348, 398, 42, 32, '#ffd98a', { transform: 'rotate(-20 348 398)' }),
})

/** A house with one window lit. */
export const houseMark = (): Picture => ({
  ...SIZE,
  defs: linear('light', ['#1d3b53', '#3f7288']),
  body:
    rect(0, 0, 640, 640, 'url(#light)') +
    path('M110 660V270L320 110L530 270V660Z', '#f0e3cc') +
    path('M80 290L320 96L560 290L534 324L320 154L106 324Z', '#c6553f') +
    times(6, (n) =>
      rect(180 + (n % 3) * 105, 310 + Math.floor(n / 3) * 118, 70, 82, n === 4 ? '#ffc654' : '#2c5468', { rx: 6 }),
    ).join('') +
    rect(285, 546, 70, 110, '#8c4636', { rx: 6 }),
})

/** A lighthouse, for the news. */
export const lightMark = (): Picture => ({
  ...SIZE,
  defs: linear('light', ['#0f3a5a', '#2b7d8f']),
  body:
    rect(0, 0, 640, 640, 'url(#light)') +
    path('M320 178L-40 60V300Z', '#ffe7a3', { opacity: '0.45' }) +
    path('M320 178L680 60V300Z', '#ffe7a3', { opacity: '0.45' }) +
    path('M264 236H376L412 560H228Z', '#fbf3e4') +
    path('M257 300H383L391 372H249ZM241 444H399L407 516H233Z', '#d6493b') +
    rect(272, 140, 96, 80, '#ffd667') +
    path('M256 142L320 84L384 142Z', '#d6493b') +
    rect(250, 218, 140, 22, '#15323d') +
    path('M-20 560Q160 510 320 556T660 548V660H-20Z', '#0b2b40'),
})

/** An eye that is a hill and a sun. */
export const lensMark = (): Picture => ({
  ...SIZE,
  defs: linear('light', ['#23252f', '#3a3350']) + linear('in', ['#ffb36b', '#ef6a6a', '#5a3d7d']),
  body:
    rect(0, 0, 640, 640, 'url(#light)') +
    circle(320, 320, 220, '#0f1016') +
    circle(320, 320, 188, 'url(#in)') +
    circle(370, 280, 44, '#fff0c9') +
    path('M150 400Q240 300 320 372T496 392A188 188 0 0 1 150 400Z', '#241c3a') +
    circle(320, 320, 204, 'none', { stroke: '#6d6a80', 'stroke-width': '10' }),
})

/** Waves, and a ship that is always late. */
export const ferryMark = (): Picture => ({
  ...SIZE,
  defs: linear('light', ['#cfe7ea', '#8fc3cf']),
  body:
    rect(0, 0, 640, 640, 'url(#light)') +
    path('M90 350H550L490 470H150Z', '#c8452f') +
    rect(170, 262, 300, 90, '#ffffff') +
    times(5, (n) => circle(212 + n * 54, 308, 17, '#2a6b83')).join('') +
    rect(250, 176, 70, 88, '#f2b632') +
    times(3, (n) =>
      path(
        `M${-60 - n * 30} ${462 + n * 56}${times(9, (k) => `q44 ${k % 2 ? 40 : -40} 88 0`).join('')}V700H-60Z`,
        ['#2a6b83', '#1e566d', '#164459'][n] ?? '#164459',
      ),
    ).join(''),
})

/** A dog's head, from the front. */
export const dogMark = (): Picture => ({
  ...SIZE,
  defs: linear('light', ['#f6c768', '#ee9d4a']),
  body:
    rect(0, 0, 640, 640, 'url(#light)') +
    path('M170 660C150 500 190 470 320 470S490 500 470 660Z', '#6b4a36') +
    path(
      'M320 130C430 130 480 210 474 320C468 440 400 520 320 520S172 440 166 320C160 210 210 130 320 130Z',
      '#8a6146',
    ) +
    path(
      'M320 130C350 130 366 150 362 220C356 300 420 360 420 400C420 480 370 520 320 520S220 480 220 400C220 360 284 300 278 220C274 150 290 130 320 130Z',
      '#fbf1e2',
    ) +
    path(
      'M204 170C130 150 96 230 104 330C112 390 150 400 172 350C190 300 190 230 226 186ZM436 170C510 150 544 230 536 330C528 390 490 400 468 350C450 300 450 230 414 186Z',
      '#54382a',
    ) +
    circle(250, 300, 21, '#2a1c18') +
    circle(390, 300, 21, '#2a1c18') +
    circle(257, 293, 7, '#ffffff') +
    circle(397, 293, 7, '#ffffff') +
    path('M280 380Q320 356 360 380Q352 424 320 428Q288 424 280 380Z', '#2a1c18') +
    path('M300 452Q320 464 340 452V492Q320 520 300 492Z', '#e7677a') +
    stroke('M320 428V450M320 450Q290 472 268 452M320 450Q350 472 372 452', '#2a1c18', 7),
})
