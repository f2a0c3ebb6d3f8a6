/** Three channels: the news, photos, and the ferry, which the host has not subscribed to yet. */
import { fog, lake } from '../pictures/landscapes.ts'
import { ferryMark, lensMark, lightMark } from '../pictures/portraits.ts'
import { tiles } from '../pictures/posters.ts'
import { harbour, tomatoes } from '../pictures/scenes.ts'
import { type ChannelStory, day, say, today } from '../script.ts'

export const news: ChannelStory = {
  type: 'channel',
  name: 'Harbour Light',
  description: 'What happens between the station and the pier. Twice a week, or when something happens twice.',
  avatar: lightMark,
  members: ['june', 'nora', 'theo', 'mateo', 'lena', 'yusuf', 'amina', 'priya', 'yuki', 'ida', 'otto', 'sam', 'misha'],
  unread: { nora: 1, sam: 4, ida: 6 },
  days: [
    day(
      28,
      say(
        '08:00',
        'june',
        'Good morning. The library opens at nine again, the heating at ten. In between we recommend the crime shelf, it raises the pulse.',
      ),
    ),
    day(
      22,
      say('17:00', 'june', 'The fog wood this morning. Photo: Mateo, who got up for it so that you did not have to.', {
        photo: fog,
      }),
    ),
    day(17, say('08:05', 'june', 'Yusuf’s bakery now opens at six. The queue opens at a quarter to.')),
    day(
      12,
      say(
        '08:00',
        'june',
        'The council has voted 7 to 4 for keeping the old crane. It lifts nothing, and everybody’s mood.',
      ),
    ),
    day(
      7,
      say(
        '18:30',
        'june',
        'FOUND: one cat, black, white left ear, in good health and of good appetite. Thanks to the third floor of Harbour Lane 12.',
      ),
    ),
    day(
      4,
      say(
        '08:00',
        'june',
        'Harbour Fair, Saturday, 12 to 18 on the quay. Boats, bread, seven singers, one dog parade. Programme at the library, free of charge and of typing errors.',
        {
          photo: harbour,
          before:
            'Harbour Fair, Saturday, 12 to 18 on the quay. Boats, bread, seven singers, one dog parade. Programme at the library, free of charge and of typnig errors.',
        },
      ),
    ),
    today(say(40, 'june', 'Correction: the choir sings at 16:30, after the dogs, not with them.')),
  ],
}

export const photos: ChannelStory = {
  type: 'channel',
  name: 'One photo a week',
  description: 'By Mateo. Fifty-two a year, rain included.',
  avatar: lensMark,
  members: ['mateo', 'nora', 'theo', 'yuki', 'june', 'amina', 'lena'],
  unread: { june: 2 },
  days: [
    day(
      25,
      say('19:00', 'mateo', 'No. 44. Sam’s table, before lunch. After lunch there was only the bowl.', {
        photo: tomatoes,
      }),
    ),
    day(
      18,
      say(
        '19:00',
        'mateo',
        'No. 45. The floor of Yusuf’s grandmother’s house, as he remembers it and I drew it on the wall with light.',
        { photo: tiles },
      ),
    ),
    day(
      11,
      say('19:00', 'mateo', 'No. 46. I waited two hours for a boat to cross. None did. Better so.', { photo: lake }),
    ),
    day(4, say('19:02', 'mateo', 'No. 47 is late, because no. 47 is on a mountain and has to be carried down first.')),
  ],
}

export const ferry: ChannelStory = {
  type: 'channel',
  name: 'Ferry 42',
  description: 'Departures, delays and excuses. Not a bus.',
  avatar: ferryMark,
  members: ['otto', 'theo', 'yuki', 'june', 'priya'],
  days: [
    day(
      14,
      say(
        '06:02',
        'otto',
        'Winter timetable from today: last boat from the island 16:40. I say it once here and then every Sunday from the bridge.',
      ),
    ),
    day(10, say('07:15', 'otto', '07:20 runs at 07:30. Reason: a seal on the ramp. The seal has been asked.')),
    day(10, say('07:31', 'otto', 'The seal has agreed.')),
    today(say(90, 'otto', 'All boats on time. Poster on the funnel is art.')),
  ],
}
