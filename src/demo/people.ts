/** Who lives here. Phones are of the range that Ofcom keeps for stories, e-mails of RFC 2606. */
import { dogMark, type Look, portrait } from './pictures/portraits.ts'
import type { Picture } from './pictures/svg.ts'

export interface Person {
  bio: string
  /** Undefined: the letters of their name. */
  avatar?: () => Picture
  isPremium?: true
  /** When they were last here. */
  seenMinutesAgo: number
  /** When they came to this server. */
  joinedDaysAgo: number
}

const looks = (look: Look) => () => portrait(look)

export const people = {
  nora: {
    bio: 'I build small wooden boats and finish some of them. Alto. Harbour Lane 12, second floor.',
    avatar: looks({
      skin: '#e9b48c',
      hair: 'waves',
      hairColor: '#5a2f22',
      clothes: '#14746f',
      light: ['#cfe8df', '#7fb7ab'],
    }),
    isPremium: true,
    seenMinutesAgo: 4,
    joinedDaysAgo: 64,
  },
  theo: {
    bio: 'Geography on weekdays, hills on Saturdays. I carry the map and the good biscuits.',
    avatar: looks({
      skin: '#c98e63',
      hair: 'short',
      hairColor: '#2b1d18',
      clothes: '#d96b3b',
      light: ['#fbe2b5', '#f0b271'],
      hasBeard: true,
    }),
    seenMinutesAgo: 7,
    joinedDaysAgo: 63,
  },
  mateo: {
    bio: 'One photo a week, whatever the weather says.',
    avatar: looks({
      skin: '#d9a074',
      hair: 'curls',
      hairColor: '#201820',
      clothes: '#2d3250',
      light: ['#e7c6ff', '#9b7bd0'],
    }),
    isPremium: true,
    seenMinutesAgo: 22,
    joinedDaysAgo: 61,
  },
  lena: {
    bio: 'Piano, choir, far too many jars of jam. Из Петрозаводска.',
    avatar: looks({
      skin: '#f3cdb0',
      hair: 'bun',
      hairColor: '#b6793c',
      clothes: '#8d3b5a',
      light: ['#ffd9d3', '#ef9a97'],
    }),
    seenMinutesAgo: 35,
    joinedDaysAgo: 58,
  },
  yusuf: {
    bio: 'خبّاز. I get up at three so that you need not.',
    avatar: looks({
      skin: '#b97f55',
      hair: 'cap',
      hairColor: '#2a1f1a',
      clothes: '#f8f3e8',
      light: ['#ffe9b8', '#e5b35f'],
      hasBeard: true,
    }),
    seenMinutesAgo: 48,
    joinedDaysAgo: 57,
  },
  amina: {
    bio: 'Night shifts at the children’s ward. If I answer at four in the morning, that is why.',
    avatar: looks({
      skin: '#a96f49',
      hair: 'scarf',
      hairColor: '#2f6f86',
      clothes: '#2f6f86',
      light: ['#d8eef0', '#8cc2c9'],
    }),
    seenMinutesAgo: 190,
    joinedDaysAgo: 55,
  },
  priya: {
    bio: 'I count things: tides, tomatoes, visitors.',
    avatar: looks({
      skin: '#b47a4f',
      hair: 'long',
      hairColor: '#191317',
      clothes: '#f2b632',
      light: ['#cfe0f7', '#86a7d8'],
      hasGlasses: true,
    }),
    seenMinutesAgo: 12,
    joinedDaysAgo: 52,
  },
  yuki: {
    bio: 'Posters, lettering, strong opinions about margins.',
    avatar: looks({
      skin: '#f1cfa9',
      hair: 'fringe',
      hairColor: '#1f1a24',
      clothes: '#e4572e',
      light: ['#fdf0d5', '#f3cf8e'],
    }),
    isPremium: true,
    seenMinutesAgo: 16,
    joinedDaysAgo: 50,
  },
  ida: {
    bio: 'Seventy-eight. Learning this thing.',
    avatar: looks({
      skin: '#f0cdb6',
      hair: 'bob',
      hairColor: '#d9d6d2',
      clothes: '#7a5c99',
      light: ['#dfeadb', '#a5c49f'],
      hasGlasses: true,
    }),
    seenMinutesAgo: 75,
    joinedDaysAgo: 41,
  },
  otto: {
    bio: 'Master of the Number 42, which is a ferry and not a bus.',
    avatar: dogMark,
    seenMinutesAgo: 140,
    joinedDaysAgo: 47,
  },
  sam: { bio: 'Plot 9. Tomatoes, slugs, hope.', seenMinutesAgo: 310, joinedDaysAgo: 45 },
  misha: {
    bio: 'Repairs what you thought was dead. Bass. Шахматы по средам.',
    avatar: looks({
      skin: '#eab892',
      hair: 'bald',
      hairColor: '#8b8785',
      clothes: '#33523f',
      light: ['#dcd6c4', '#a79f86'],
      hasBeard: true,
      hasGlasses: true,
    }),
    seenMinutesAgo: 60,
    joinedDaysAgo: 44,
  },
  june: {
    bio: 'Library by day, Harbour Light by night. Send me what happens.',
    avatar: looks({
      skin: '#8a5a3c',
      hair: 'curls',
      hairColor: '#3b2318',
      clothes: '#c9d6df',
      light: ['#ffe3ec', '#e79bb4'],
    }),
    seenMinutesAgo: 28,
    joinedDaysAgo: 43,
  },
} satisfies Record<string, Person>

export type Name = keyof typeof people
export const names = Object.keys(people) as Name[]
/** In everything that goes on: whoever looks around signs in as her first. */
export const HOST: Name = 'nora'

/** As others see it. */
export const usernameOf = (name: Name): string => name.slice(0, 1).toUpperCase() + name.slice(1)
export const emailOf = (name: Name): string => `${name}@example.com`
export const phoneOf = (name: Name): string => `+4477009001${String(names.indexOf(name) + 1).padStart(2, '0')}`
