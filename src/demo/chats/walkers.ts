/** A group that plans, goes, and tells of it for a week. */
import { aurora, dawn, fog, stars } from '../pictures/landscapes.ts'
import { hillMark } from '../pictures/portraits.ts'
import { climb } from '../pictures/posters.ts'
import { day, type GroupStory, say, today } from '../script.ts'

export const walkers: GroupStory = {
  type: 'group',
  name: 'Saturday Walkers',
  avatar: hillMark,
  members: ['theo', 'nora', 'mateo', 'amina', 'priya', 'otto', 'sam', 'june', 'yuki'],
  admins: ['nora'],
  unread: { nora: 3, sam: 6, otto: 6, amina: 4 },
  days: [
    day(
      24,
      say(
        '18:40',
        'theo',
        'Saturday looks dry until three. Who is up for the fog wood? 9 km, flat, one stile that hates me.',
      ),
      say('18:44', 'mateo', 'Me, if we start before the fog leaves'),
      say('18:46', 'theo', 'Then seven at the ferry steps.', { key: 'seven' }),
      say('18:47', 'priya', 'Seven in the *morning*?', { replyTo: 'seven' }),
      say('18:52', 'theo', 'It exists, I have seen it.'),
      say('19:10', 'nora', 'In. I’ll bring the big flask.'),
      say('21:15', 'amina', 'Coming straight from the night shift. Please nobody be cheerful at me before the flask.'),
    ),
    day(
      22,
      say('11:32', 'mateo', 'Worth every minute of it', { photo: fog, key: 'fog' }),
      say('11:40', 'june', 'Oh. May I have this one for Harbour Light?', { replyTo: 'fog' }),
      say('11:41', 'mateo', 'All yours'),
      say('12:05', 'priya', '9.4 km, 13,207 steps, 1 stile, 1 casualty (Theo’s trousers)'),
      say('12:07', 'theo', 'We do not talk about the stile.'),
    ),
    day(
      14,
      say(
        '17:20',
        'otto',
        'Ferry leaves the island at 16:40 on Sundays. Not 17:00. Sixteen. Forty. I waved at you from the bridge, you waved back.',
      ),
      say('17:26', 'nora', 'We thought you were being friendly 😅'),
      say('17:27', 'otto', 'I was being punctual.'),
      say('17:41', 'sam', 'For the record, the three hours on that beach were the best part of my month'),
    ),
    day(
      9,
      say(
        '19:02',
        'theo',
        'The big one: ridge loop, a week from Saturday. Fifteen kilometres, and up at first light for the sunrise. Profile below, track for your phones after that.',
      ),
      say('19:03', 'theo', 'Looks worse than it is. It is also quite bad.', { photo: climb, key: 'climb' }),
      say('19:04', 'theo', '', { file: 'ridge-loop.gpx' }),
      say('19:15', 'yuki', 'Kilometre 3 to 5 looks like my heart rate when someone says “just make the logo bigger”', {
        replyTo: 'climb',
      }),
      say('19:21', 'priya', '905 m at the top, 785 m of climbing in all, if we do not count going back for Theo’s hat'),
      say('19:30', 'june', 'I’m in, slowly.'),
      say('19:58', 'amina', 'Free from Friday noon. In!'),
      say('20:03', 'mateo', 'Some of us could go up on Friday and sleep at the saddle. Clear sky, no moon.', {
        key: 'friday',
      }),
      say('20:05', 'nora', 'Yes. YES. My tent sleeps three and a dog.', { replyTo: 'friday' }),
      say('20:06', 'otto', 'The dog accepts.'),
    ),
    day(
      3,
      say('12:10', 'theo', 'Packing list: water (2 l), something warm, something warmer, a lamp, cheese.'),
      say('12:12', 'sam', 'Tomatoes are on me. I have, how to put it, some.'),
      say('12:30', 'june', 'Is the path at the quarry open again?'),
      say('12:34', 'theo', 'Open since Tuesday. I asked the man with the digger.', {
        before: 'Open since Monday. I asked the man with the digger.',
      }),
    ),
    day(
      1,
      say('06:12', 'mateo', 'Half past midnight, and nobody sleeps', {
        photo: stars,
        key: 'stars',
      }),
      say('06:15', 'yuki', 'I am on the first ferry and I am jealous', { replyTo: 'stars' }),
      say('07:48', 'nora', 'And then. Nobody spoke, not even Theo.', {
        photo: dawn,
        key: 'dawn',
      }),
      say('07:55', 'theo', 'I was chewing.', { replyTo: 'dawn' }),
      say('15:30', 'amina', 'Everybody down, everybody whole. My legs would like to speak to the organiser.'),
      say('15:34', 'theo', 'The organiser is in the bath and takes no calls.'),
      say('18:20', 'priya', 'Final numbers: 15.2 km, 5 h 10, 41 tomatoes.'),
      say('18:22', 'sam', '41?! I brought 44.', { key: 'tomatoes' }),
      say('18:23', 'otto', 'The dog accepts responsibility.', { replyTo: 'tomatoes' }),
    ),
    today(
      say(
        96,
        'june',
        'Nora, Mateo: the sunrise is on the front page tomorrow. Under it in small letters: “Not even Theo.”',
      ),
      say(81, 'theo', 'I shall want that framed.'),
      say(64, 'nora', 'I know a carpenter'),
      say(31, 'mateo', 'One more that I did not show you. Two in the morning, while you all pretended to sleep.', {
        photo: aurora,
        key: 'aurora',
      }),
      say(27, 'yuki', 'WHAT', { replyTo: 'aurora' }),
      say(9, 'theo', 'Next Saturday: something flat. Suggestions with fewer than three contour lines, please.'),
    ),
  ],
}
