/** A group that sings, in two alphabets. */
import { winter } from '../pictures/landscapes.ts'
import { choirMark } from '../pictures/portraits.ts'
import { day, type GroupStory, say, today } from '../script.ts'

export const choir: GroupStory = {
  type: 'group',
  name: 'Kitchen Choir 🎶',
  avatar: choirMark,
  members: ['lena', 'nora', 'misha', 'amina', 'yusuf', 'june', 'otto'],
  unread: { nora: 3, otto: 4, june: 5 },
  days: [
    day(
      31,
      say(
        '20:40',
        'lena',
        'Thank you for tonight! The soup was in tune and so, nearly, were we. Next Thursday at Misha’s, half past seven.',
      ),
      say('20:44', 'misha', 'Chairs: six. Singers: seven. Somebody is a standing bass, and it is me.'),
      say('21:02', 'amina', 'Altos, was that an F or an F sharp in bar 12?', { key: 'bar12' }),
      say('21:03', 'nora', 'It was a bit of both', { replyTo: 'bar12' }),
      say('21:05', 'lena', 'F. We will meet it again on Thursday and look it in the eye.', { replyTo: 'bar12' }),
    ),
    day(
      24,
      say(
        '20:55',
        'lena',
        'New for the fair: «Калинка», because Misha has the voice and all of you have the knees for it. Words by syllables tomorrow.',
      ),
      say('20:57', 'misha', 'Колени у меня как раз не очень'),
      say('20:58', 'lena', 'Ничего, присядешь на припеве один раз, публика простит'),
      say('21:00', 'otto', 'I understood “Kalinka” and something about an audience forgiving. I am in.'),
      say('21:12', 'june', 'How fast do we get at the end?'),
      say('21:13', 'lena', 'Until somebody laughs. That is the tempo marking.'),
    ),
    day(
      23,
      say(
        '09:30',
        'lena',
        'Ка-лин-ка, ка-лин-ка, ка-лин-ка мо-я,\nв са-ду я-го-да ма-лин-ка, ма-лин-ка мо-я.\n\nKa-LIN-ka, ka-LIN-ka, ka-LIN-ka ma-YA,\nv sa-DU YA-ga-da ma-LIN-ka, ma-LIN-ka ma-YA.',
        { key: 'words' },
      ),
      say('09:41', 'yusuf', 'Why is it written “mo” and sung “ma”?', { replyTo: 'words' }),
      say('09:44', 'lena', 'Because we have a lot of winter and little patience with vowels'),
      say(
        '12:15',
        'amina',
        'The ward has heard me practise. One patient applauded, the others slept, which I also count.',
      ),
    ),
    day(
      6,
      say('19:05', 'misha', 'Дома у родителей такой же вечер. Thought of the second verse.', { photo: winter }),
      say('19:12', 'nora', 'Is that the house with the piano you carried up the stairs?'),
      say('19:14', 'misha', 'Up the stairs, yes. Down again it went faster.'),
    ),
    day(
      4,
      say(
        '18:31',
        'lena',
        'Second voice for the altos, on Misha’s guitar. Slowly first. Please listen once before you say that it is too high.',
        { file: 'voice-note.wav', key: 'voice' },
      ),
      say('18:40', 'amina', 'It is too high.', { replyTo: 'voice' }),
      say('18:41', 'lena', 'Once. I said once.'),
      say('18:55', 'nora', 'Listened three times. It is lovely and too high.'),
      say('19:20', 'lena', 'Fine. Down a tone.', { before: 'Fine. Down half a tone.' }),
      say('19:21', 'amina', '❤️'),
    ),
    today(
      say(88, 'june', 'The fair gives us 16:30, right after the dog parade. Harbour stage, ten minutes.'),
      say(85, 'otto', 'The dog is in both. We may be a little late.'),
      say(70, 'nora', 'Ten minutes is three songs, or one Kalinka.'),
      say(44, 'lena', 'Last rehearsal tomorrow at Nora’s, 19:30. Bring your own mug, she has five and lends none.'),
      say(42, 'misha', 'Принесу две. И пирог.'),
      say(40, 'lena', 'Пирог — это серьёзно ❤️'),
    ),
  ],
}
