/** Direct chats: the host's own, one of them from the right to the left, and some between others. */

import { boatPlan } from '../pictures/posters.ts'
import { bread, harbour } from '../pictures/scenes.ts'
import { type DmStory, day, say, today } from '../script.ts'

const withTheo: DmStory = {
  type: 'dm',
  members: ['nora', 'theo'],
  days: [
    day(
      23,
      say(
        '20:10',
        'theo',
        'Do you still have that drawing of the dinghy? My class is doing scale and I want to show them something that floats.',
      ),
      say('20:18', 'nora', '1:10, and she will float, I promise', { photo: boatPlan, key: 'plan' }),
      say('20:20', 'theo', '“Dinghy for two and a dog.” Who is the second one?', { replyTo: 'plan' }),
      say('20:21', 'nora', 'Undecided. The dog is certain.'),
    ),
    day(
      14,
      say('13:02', 'theo', '28 children have now computed the area of your sail. Between 4 m² and 900.'),
      say('13:05', 'nora', 'I’ll take the 900, I’m behind schedule'),
    ),
    day(
      4,
      say('21:04', 'theo', 'Friday: you take tent and flask, I take stove, map, biscuits. Otto lends the dog.'),
      say('21:06', 'nora', 'And Mateo carries his own weight in lenses, as ever'),
    ),
    today(
      say(73, 'theo', 'My legs say hello. They say it on every stair.'),
      say(69, 'nora', 'Mine have stopped talking to me. Was it worth it?', { key: 'worth' }),
      say(68, 'theo', 'I would do it again tomorrow. Not tomorrow. But again.', { replyTo: 'worth' }),
      say(12, 'nora', 'Then come and sit in the boat on Sunday, she needs ballast and an opinion on the colour.'),
    ),
  ],
  unread: { theo: 1 },
}

const withYusuf: DmStory = {
  type: 'dm',
  members: ['nora', 'yusuf'],
  unread: { nora: 1 },
  days: [
    day(
      26,
      say('17:30', 'yusuf', 'مساء الخير يا نورا! كيف كان درس العربية اليوم؟'),
      say('17:42', 'nora', 'مساء النور! كان صعبًا لكنه ممتع. تعلّمت كيف أطلب الخبز 😄'),
      say('17:43', 'yusuf', 'هذا أهم درس. الباقي تفاصيل.'),
    ),
    day(
      17,
      say('06:20', 'yusuf', 'أول خبز اليوم. تركت لك رغيفًا عند الباب.', { photo: bread, key: 'bread' }),
      say('07:35', 'nora', 'شكرًا جزيلًا! وصلت الرائحة إلى الطابق الثاني قبل الرغيف', { replyTo: 'bread' }),
    ),
    day(
      10,
      say('18:05', 'nora', 'سؤال: كيف أقول “varnish”؟'),
      say('18:09', 'yusuf', 'ورنيش. أحيانًا تكون اللغة لطيفة.'),
      say('18:10', 'nora', 'إذن أنا أعمل بالورنيش كل يوم، وأتكلم العربية كل يوم!'),
    ),
    day(
      5,
      say('19:30', 'yusuf', '', { call: { media: 'video', outcome: 'completed', duration: 754 } }),
      say('19:46', 'yusuf', 'أمي تسلّم عليك. وتقول إن لهجتك صارت أحسن من لهجتي.'),
    ),
    today(
      say(62, 'nora', 'هل ستخبز للمهرجان يوم السبت؟'),
      say(48, 'yusuf', 'طبعًا! ثلاثمئة رغيف، وواحد على شكل قارب. لا تقولي لأحد.'),
    ),
  ],
}

const withLena: DmStory = {
  type: 'dm',
  members: ['lena', 'nora'],
  days: [
    day(
      19,
      say('10:05', 'nora', 'Teach me one sentence that will impress Misha on Thursday'),
      say(
        '10:08',
        'lena',
        '«Передай, пожалуйста, варенье» — pass the jam, please. He passes nothing to anybody, but he will be moved.',
      ),
      say('10:09', 'nora', 'Передай пожалуйста варенье. Got it.'),
    ),
    day(
      17,
      say('21:10', 'nora', 'It worked. He passed the jam AND the spoon.'),
      say('21:12', 'lena', 'Молодец! The spoon is practically a proposal.'),
    ),
    today(
      say(
        46,
        'lena',
        'Is 19:30 tomorrow still all right? I bring the music stands, you have the floor that creaks in G.',
      ),
      say(38, 'nora', 'All right, and it creaks in A flat since the rain'),
      say(35, 'lena', 'We shall transpose ❤️'),
    ),
  ],
}

const withIda: DmStory = {
  type: 'dm',
  members: ['ida', 'nora'],
  unread: { nora: 2 },
  days: [
    day(
      24,
      say('18:10', 'nora', 'Hello Ida! This one is just the two of us.'),
      say('18:19', 'ida', 'How does it know'),
      say('18:20', 'nora', 'It says my name at the top'),
      say('18:26', 'ida', 'So it does. Clever.'),
    ),
    day(
      8,
      say('19:02', 'ida', 'He is asleep on your jumper, the blue one. I do not think you will get it back.'),
      say('19:04', 'nora', 'It was always his jumper'),
    ),
    today(
      say(
        79,
        'ida',
        'The bread is very good. Tell the young man that I said so, and that his crust is braver than the one from the supermarket.',
      ),
      say(75, 'ida', 'How do I make the little yellow faces'),
    ),
  ],
}

const withMateo: DmStory = {
  type: 'dm',
  members: ['mateo', 'nora'],
  days: [
    day(
      16,
      say('12:20', 'mateo', 'You are in this one. Third boat from the left, arguing with a rope.', {
        photo: harbour,
        key: 'rope',
      }),
      say('12:31', 'nora', 'I was winning', { replyTo: 'rope' }),
      say('12:32', 'mateo', 'The rope says otherwise'),
    ),
    day(
      1,
      say('20:15', 'nora', 'Can I have the sunrise large, for the workshop wall?'),
      say('20:22', 'mateo', 'Printing it on Monday, 60 × 40. You pay in benches.'),
      say('20:23', 'nora', 'Deal'),
    ),
  ],
}

const withPriya: DmStory = {
  type: 'dm',
  members: ['priya', 'nora'],
  days: [
    day(
      11,
      say(
        '17:15',
        'priya',
        'Odd question. How many people does one of your benches hold before it becomes two benches?',
      ),
      say('17:21', 'nora', 'Five who like each other'),
      say('17:22', 'priya', 'I will put down four.'),
    ),
    day(
      3,
      say('18:00', 'priya', '', { call: { media: 'audio', outcome: 'missed', duration: 0 } }),
      say('18:01', 'priya', 'It can wait! Only numbers.'),
    ),
    day(
      2,
      say('09:12', 'nora', 'I was under a boat. Tell me your numbers?'),
      say('09:20', 'priya', 'Sorted it myself: Sam sent me his harvest by post card.'),
    ),
  ],
}

const amongOthers: DmStory[] = [
  {
    type: 'dm',
    members: ['lena', 'misha'],
    days: [
      day(
        7,
        say('21:20', 'misha', 'Гитару настроил. Пятая струна просит пенсии.'),
        say('21:24', 'lena', 'Пусть доработает до ярмарки, потом проводим с почётом'),
      ),
      day(
        2,
        say('17:58', 'lena', 'Записала вторую партию, послушай, не слишком высоко?'),
        say('18:10', 'misha', 'Высоко. Но красиво. Альты скажут.'),
      ),
      today(say(39, 'lena', 'Пирог с чем?'), say(37, 'misha', 'С брусникой. Другого смысла в пироге нет.')),
    ],
  },
  {
    type: 'dm',
    members: ['sam', 'priya'],
    days: [
      day(
        12,
        say('18:40', 'sam', 'You like tables. Here is all of plot 9, week by week. Slugs included, they were.', {
          file: 'harvest-plot-9.csv',
          key: 'csv',
        }),
        say('18:52', 'priya', 'This is the nicest thing anybody has ever sent me', { replyTo: 'csv' }),
      ),
    ],
    unread: { sam: 1 },
  },
  {
    type: 'dm',
    members: ['yuki', 'otto'],
    days: [
      today(
        say(100, 'yuki', 'Funnel format attached to a bicycle that is on its way to you'),
        say(94, 'otto', 'Received. It is up. It is crooked. So is the ship.'),
      ),
    ],
  },
]

export const pairs: DmStory[] = [withTheo, withYusuf, withLena, withIda, withMateo, withPriya, ...amongOthers]
