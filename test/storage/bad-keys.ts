/** Names that try to leave the root of a storage, or to hide what they are. */

const good = 'uploads/2026/01/15/abc'

const ways = [
  '..',
  '.',
  '...',
  '....',
  '.. ',
  ' ..',
  '..;',
  '..\0',
  '%2e%2e',
  '%2E%2E',
  '..%00',
  '%252e%252e',
  '%c0%ae%c0%ae',
]
const slashes = ['/', '\\', '//', '%2f', '%2F', '%5c', '%252f', '%c0%af', '\u2215', '\uff0f', '\u2044', '/./', '\\/']
const targets = ['etc/passwd', 'work/x', 'x', 'uploads/x']
const windows = [
  'aux.',
  'C:',
  'C:\\Windows\\win.ini',
  'file.txt:stream',
  'file.txt::$DATA',
  'a ',
  'a.',
  'a?b',
  'a*b',
  'a|b',
  '<a>',
  '"a"',
]
const odd = [
  '\0',
  '\n',
  '\r',
  '\t',
  '\x01',
  '\x1b',
  '\x7f',
  ' ',
  '~',
  '$HOME',
  '`id`',
  '$(id)',
  ';',
  '&',
  '|',
  '#',
  '?',
  '!',
  '@',
  '=',
  '+',
  ',',
  "'",
  '"',
  '\u00e4',
  '\u202e',
  '\u200b',
  '\ufeff',
  '\ud800',
  '\u{1f4a9}',
  '%',
  '%00',
  '%0a',
  '%zz',
  '*',
  '[a]',
  '{a,b}',
  '(a)',
  '^',
  ':',
]

/** @param outside the absolute path of a folder that must stay empty */
export function badKeys(outside: string): string[] {
  const climbs = ways.flatMap((way) =>
    slashes.flatMap((slash) => [
      `${way}${slash}${targets[0]}`,
      `uploads${slash}${way}${slash}${targets[1]}`,
      `${good}${slash}${way}`,
    ]),
  )
  const deep = Array.from({ length: 12 }, (_, n) => `uploads/${'../'.repeat(n + 1)}tmp/x`)
  const absolute = [
    outside,
    `/${outside}`,
    `${outside}/x`,
    `file://${outside}/x`,
    '/',
    '//',
    '/etc/passwd',
    '\\\\host\\share',
    `uploads/${outside}/x`,
  ]
  const inside = odd.flatMap((one) => [`uploads/${one}`, `${good}${one}`, `uploads/${one}/x`])
  const shapes = [
    '',
    'uploads/',
    'avatars/',
    'work/x',
    'Uploads/x',
    'uploadsx/y',
    'media/x',
    'uploads//x',
    '/uploads/x',
    'uploads/x/',
    'uploads/.x',
    'uploads/-x',
    'uploads/_x',
    'uploads/x.',
    'uploads/x.JPG',
    'uploads/x.tar.gz',
    'uploads/.htaccess',
    'uploads/x.jpg/y',
    'uploads/x.123456789',
    `uploads/${'a'.repeat(193)}`,
    `uploads/${'a/'.repeat(100)}a`,
    `uploads/${'a'.repeat(5000)}`,
    `${good}\n.jpg`,
    `${good}.jpg\n`,
    `\n${good}`,
  ]
  const names = [...climbs, ...deep, ...absolute, ...windows.map((name) => `uploads/${name}`), ...inside, ...shapes]
  return [...new Set(names)]
}
