/** The files that people send beside photos: a walk for a GPS, a table, and a voice note, all made here. */
import { pluckedTune } from './tune.ts'

export type FileName = 'ridge-loop.gpx' | 'harvest-plot-9.csv' | 'voice-note.wav'

const MAKERS: Record<FileName, { type: string; make: () => string | Uint8Array<ArrayBuffer> }> = {
  'ridge-loop.gpx': { type: 'application/gpx+xml', make: makeWalk },
  'harvest-plot-9.csv': { type: 'text/csv', make: makeHarvest },
  'voice-note.wav': { type: 'audio/wav', make: pluckedTune },
}

export function makeFile(name: FileName): File {
  const { type, make } = MAKERS[name]
  return new File([make()], name, { type })
}

/** A round of 15 km over a hill that is on no map. */
function makeWalk(): string {
  const points = Array.from({ length: 121 }, (_, n) => {
    const turn = (n / 120) * Math.PI * 2
    const latitude = 54.52 + 0.019 * Math.sin(turn) + 0.004 * Math.sin(3 * turn)
    const longitude = -3.21 + 0.034 * Math.cos(turn) + 0.005 * Math.cos(2 * turn)
    const height = 512 - 392 * Math.cos(turn) + 40 * Math.sin(5 * turn)
    return `    <trkpt lat="${latitude.toFixed(5)}" lon="${longitude.toFixed(5)}"><ele>${height.toFixed(0)}</ele></trkpt>`
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<gpx version="1.1" creator="theo" xmlns="http://www.topografix.com/GPX/1/1">',
    '  <trk><name>Ridge loop, 15 km</name><trkseg>',
    ...points,
    '  </trkseg></trk>',
    '</gpx>',
    '',
  ].join('\n')
}

function makeHarvest(): string {
  const kinds = ['tomatoes', 'beans', 'courgettes', 'slugs']
  const weeks = Array.from({ length: 8 }, (_, week) =>
    [week + 24, ...kinds.map((_kind, n) => Math.round(3 + (week + 1) * (n + 1) * 0.8 + 4 * Math.sin(week + n)))].join(
      ',',
    ),
  )
  return [['week', ...kinds].join(','), ...weeks, ''].join('\r\n')
}
