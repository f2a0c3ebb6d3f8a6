/** A group of neighbours: short, practical, and once about a cat. */
import { houseMark } from '../pictures/portraits.ts'
import { cat } from '../pictures/scenes.ts'
import { day, type GroupStory, say, today } from '../script.ts'

export const house: GroupStory = {
  type: 'group',
  name: 'Harbour Lane 12',
  avatar: houseMark,
  members: ['misha', 'nora', 'ida', 'amina', 'sam', 'priya', 'yuki'],
  admins: ['priya'],
  unread: { sam: 5, yuki: 3 },
  days: [
    day(
      29,
      say('08:05', 'misha', 'Water is off on Thursday from 9 to 12, pipes in the cellar. Fill a kettle on Wednesday.'),
      say('08:20', 'priya', 'Thanks! Putting a note in the lift'),
      say('08:21', 'priya', 'We do not have a lift. Putting a note on the stairs.'),
    ),
    day(
      24,
      say('12:14', 'misha', 'Water is back. Let it run until it is no longer tea.'),
      say('17:50', 'ida', 'HELLO THIS IS IDA FROM THE GROUND FLOOR. NORA HAS SET THIS UP FOR ME'),
      say('17:52', 'nora', 'Welcome, Ida! 🎉 (The key on the left, with the arrow.)'),
      say('17:58', 'ida', 'oh'),
      say('17:59', 'ida', 'Thank you dear. That is much quieter.'),
    ),
    day(
      18,
      say('14:02', 'yuki', 'Whose parcel is on the radiator? It says “fragile” and, smaller, “cheese”.', {
        key: 'cheese',
      }),
      say('14:03', 'sam', 'Mine!! Running', { replyTo: 'cheese' }),
      say('14:20', 'amina', 'So that was the smell. I had already rung the gas people', { isDeleted: true }),
      say('14:26', 'amina', 'Gas people called off. They send their regards to the cheese.'),
    ),
    day(
      8,
      say(
        '16:30',
        'ida',
        'Has anybody seen Admiral? He went out by the kitchen window on Tuesday and missed both his dinners. Black, white left ear, very sure of himself.',
        { key: 'admiral' },
      ),
      say('16:34', 'misha', 'Will look in the cellar.', { replyTo: 'admiral' }),
      say('16:41', 'priya', 'Printing his picture for the lane. Do you have one that is not of his back, Ida?'),
      say('16:45', 'ida', 'He does not give others.'),
      say('18:12', 'yuki', 'Third floor, my windowsill. Since Tuesday!', { photo: cat, key: 'cat' }),
      say('18:13', 'yuki', 'I thought he came with the flat'),
      say('18:13', 'ida', 'That is his back! That is him!', { replyTo: 'cat' }),
      say('18:15', 'yuki', 'He has eaten a whole sea bream and judged my work'),
      say(
        '18:31',
        'ida',
        'He is home. He pretends that nothing has happened. Thank you all, there is cake on the stairs.',
      ),
      say('18:33', 'sam', 'Best building.'),
    ),
    day(
      4,
      say(
        '09:10',
        'priya',
        'Bikes: the yard rack holds 8. We have 14. I have made a list, and I am sorry that I have made a list.',
      ),
      say('09:25', 'sam', 'Two of them are mine and one of those has no wheels, take it'),
      say('09:31', 'misha', 'No wheels is my favourite kind. Fixing it for the fair.'),
    ),
    day(
      1,
      say('17:40', 'misha', 'New bulb on the second landing. It is warm white. Complaints to Yuki, who chose it.'),
      say('17:44', 'yuki', 'It is 2700 K and you are all ten per cent better looking'),
    ),
    today(
      say(104, 'ida', 'Nora dear, your window was open in the rain. I have closed it with the broom.'),
      say(99, 'nora', 'You are a hero, Ida. Coming down with bread in a minute'),
      say(58, 'priya', 'The boiler man comes tomorrow between 8 and “sometime”. I can let him in.'),
    ),
  ],
}
