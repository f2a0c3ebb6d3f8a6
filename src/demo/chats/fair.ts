/** A small group at work: drafts, numbers, decisions. */
import { poster, posterDraft, visitors } from '../pictures/posters.ts'
import { day, type GroupStory, say, today } from '../script.ts'

export const fair: GroupStory = {
  type: 'group',
  name: 'Fair posters & numbers',
  members: ['june', 'yuki', 'priya', 'nora'],
  unread: {},
  days: [
    day(
      20,
      say(
        '10:02',
        'june',
        'The town gives us the quay again and 300 posters, if the printer has them by the 14th. Yuki, you said the word “poster” in your sleep once, so I took that as a yes.',
      ),
      say('10:06', 'yuki', 'I did and it is. Draft by Friday.'),
      say('10:15', 'priya', 'I will dig out last year’s counts, so that we know when to have enough chairs.'),
    ),
    day(
      16,
      say('16:20', 'yuki', 'First draft. Calm, a lot of air, like the sea at six in the morning.', {
        photo: posterDraft,
        key: 'draft',
      }),
      say('16:31', 'nora', 'Beautiful. I would walk past it in perfect peace.', { replyTo: 'draft' }),
      say('16:32', 'yuki', 'ouch. Fair.'),
      say('16:33', 'june', 'Fair! We have found the joke for the back side.'),
      say(
        '16:40',
        'priya',
        'Could the title be read from the ferry? I measured: 40 m to the quay wall, so letters of at least 12 cm.',
      ),
      say('16:44', 'yuki', 'Nobody has ever briefed me in metres before. I like it.'),
    ),
    day(
      13,
      say('11:48', 'yuki', 'Once more, loud. Sun at 300 %, title you can read from the moon, real sails.', {
        photo: poster,
        key: 'poster',
      }),
      say('11:52', 'nora', 'THAT is a boat I would build', { replyTo: 'poster' }),
      say('11:53', 'june', 'Printing this today before anybody has an opinion.', { replyTo: 'poster' }),
      say('12:10', 'priya', 'Opinion: perfect.'),
    ),
    day(
      5,
      say(
        '15:05',
        'priya',
        'Pre-fair on Saturday, counted at the gate. Half as many again as last year, and the top is at three, not at four.',
        { photo: visitors, key: 'visitors' },
      ),
      say('15:09', 'june', '355 at once! Where do we put them all?', { replyTo: 'visitors' }),
      say(
        '15:14',
        'priya',
        'Two more rows of benches, and the choir moves from 15:00 to 16:30, so that they have an audience and not a traffic jam.',
      ),
      say('15:20', 'nora', 'I have planks for six benches. They will smell of boat.'),
      say('15:21', 'yuki', 'I will letter “mind the varnish”'),
    ),
    today(
      say(
        107,
        'june',
        'Posters are up from the station to the pier. Otto has put one on the funnel of the 42, which is illegal and magnificent.',
      ),
      say(103, 'yuki', 'Sending him the file in funnel format', { before: 'Sending him the file in funel format' }),
      say(52, 'nora', 'Benches: four of six done, the fifth is drying.'),
    ),
  ],
}
