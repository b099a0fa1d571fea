import { describe, expect, test, vi } from 'vitest';
import { describeDue } from '../src/lib/time/dates';
import { parseNaturalDate } from '../src/lib/time/natural-date';

/** Wednesday, 25 November 2026, 13:00 in Moscow. */
const NOW = new Date('2026-11-25T10:00:00Z');
const english = { now: NOW, timeZone: 'Europe/Moscow', language: 'en' } as const;
const russian = { ...english, language: 'ru' } as const;

describe('a date field understands', () => {
  test.each([
    ['today', '2026-11-25'],
    ['tomorrow', '2026-11-26'],
    ['day after tomorrow', '2026-11-27'],
    ['fri', '2026-11-27'],
    ['Friday', '2026-11-27'],
    ['by friday', '2026-11-27'],
    ['wednesday', '2026-12-02'],
    ['next fri', '2026-12-04'],
    ['next monday', '2026-11-30'],
    ['this sunday', '2026-11-29'],
    ['in 3 days', '2026-11-28'],
    ['in a week', '2026-12-02'],
    ['in two weeks', '2026-12-09'],
    ['in 3 months', '2027-02-25'],
    ['next week', '2026-11-30'],
    ['next month', '2026-12-01'],
    ['end of month', '2026-11-30'],
    ['end of the week', '2026-11-27'],
    ['weekend', '2026-11-28'],
    ['25 dec', '2026-12-25'],
    ['Dec 25', '2026-12-25'],
    ['December 25th, 2027', '2027-12-25'],
    ['25th of December', '2026-12-25'],
    ['5 jan', '2027-01-05'],
    ['29 feb', null],
    ['29 feb 2028', '2028-02-29'],
    ['the 30th', '2026-11-30'],
    ['the 24th', '2026-12-24'],
    ['12/25', '2026-12-25'],
    ['25.12.2026', '2026-12-25'],
    ['2026-12-25', '2026-12-25'],
    ['tomorrow 3pm', '2026-11-26T12:00:00.000Z'],
    ['tomorrow at 15:30', '2026-11-26T12:30:00.000Z'],
    ['tomorrow morning', '2026-11-26T06:00:00.000Z'],
    ['tonight', '2026-11-25T17:00:00.000Z'],
    ['fri at noon', '2026-11-27T09:00:00.000Z'],
    ['wed 15:00', '2026-11-25T12:00:00.000Z'],
    ['wed 9:00', '2026-12-02T06:00:00.000Z'],
    ['3:30 pm on friday', '2026-11-27T12:30:00.000Z'],
    ['15:00', '2026-11-25T12:00:00.000Z'],
    ['9am', '2026-11-26T06:00:00.000Z'],
    ['15 h', '2026-11-25T12:00:00.000Z'],
    ['at 8', '2026-11-26T05:00:00.000Z'],
    ['@ 15', '2026-11-25T12:00:00.000Z'],
    ['at 8 on friday', '2026-11-27T05:00:00.000Z'],
    ['friday at 8', '2026-11-27T05:00:00.000Z'],
    ['friday by 8', '2026-11-27T05:00:00.000Z'],
    ['due 8:00', '2026-11-26T05:00:00.000Z'],
    ['due at 8', '2026-11-26T05:00:00.000Z'],
    ['in 2 hours', '2026-11-25T12:00:00.000Z'],
    ['in 2h', '2026-11-25T12:00:00.000Z'],
    ['in 2 h', '2026-11-25T12:00:00.000Z'],
    ['in 3d', '2026-11-28'],
    ['in 2w', '2026-12-09'],
    ['in 5m', '2026-11-25T10:05:00.000Z'],
    ['in 90 minutes', '2026-11-25T11:30:00.000Z'],
  ])('%s', (text, due) => {
    expect(parseNaturalDate(text, english)?.due ?? null).toBe(due);
  });

  test.each([
    ['сегодня', '2026-11-25'],
    ['Завтра', '2026-11-26'],
    ['послезавтра', '2026-11-27'],
    ['пт', '2026-11-27'],
    ['в пятницу', '2026-11-27'],
    ['до пятницы', '2026-11-27'],
    ['к среде', '2026-12-02'],
    ['в следующую пятницу', '2026-12-04'],
    ['в это воскресенье', '2026-11-29'],
    ['через 3 дня', '2026-11-28'],
    ['через неделю', '2026-12-02'],
    ['через две недели', '2026-12-09'],
    ['через месяц', '2026-12-25'],
    ['через год', '2027-11-25'],
    ['на следующей неделе', '2026-11-30'],
    ['в следующем месяце', '2026-12-01'],
    ['до конца месяца', '2026-11-30'],
    ['конец недели', '2026-11-27'],
    ['на выходных', '2026-11-28'],
    ['25 дек', '2026-12-25'],
    ['25 декабря', '2026-12-25'],
    ['25-го декабря 2027 года', '2027-12-25'],
    ['1 мая', '2027-05-01'],
    ['31 июня', null],
    ['30 числа', '2026-11-30'],
    ['до 5-го', '2026-12-05'],
    ['25.12', '2026-12-25'],
    ['5/6', '2027-06-05'],
    ['пт 15:00', '2026-11-27T12:00:00.000Z'],
    ['в пятницу в 15', '2026-11-27T12:00:00.000Z'],
    ['завтра в 9 утра', '2026-11-26T06:00:00.000Z'],
    ['завтра в 7 вечера', '2026-11-26T16:00:00.000Z'],
    ['завтра вечером', '2026-11-26T16:00:00.000Z'],
    ['25 дек, 10:00', '2026-12-25T07:00:00.000Z'],
    ['15 ч', '2026-11-25T12:00:00.000Z'],
    ['в 8', '2026-11-26T05:00:00.000Z'],
    ['8 утра', '2026-11-26T05:00:00.000Z'],
    ['5 дня', '2026-11-25T14:00:00.000Z'],
    ['в 8 часов', '2026-11-26T05:00:00.000Z'],
    ['8 часов вечера', '2026-11-25T17:00:00.000Z'],
    ['3 часа дня', '2026-11-25T12:00:00.000Z'],
    ['в 2 ночи', '2026-11-25T23:00:00.000Z'],
    ['завтра в 3 дня', '2026-11-26T12:00:00.000Z'],
    ['в 3 дня в пятницу', '2026-11-27T12:00:00.000Z'],
    ['завтра до 8 часов', '2026-11-26T05:00:00.000Z'],
    ['завтра к 5', '2026-11-26T02:00:00.000Z'],
    ['в 18:00', '2026-11-25T15:00:00.000Z'],
    ['в 15:00 в пятницу', '2026-11-27T12:00:00.000Z'],
    ['через полчаса', '2026-11-25T10:30:00.000Z'],
    ['через час', '2026-11-25T11:00:00.000Z'],
    ['через 2 часа', '2026-11-25T12:00:00.000Z'],
    ['через 2 ч', '2026-11-25T12:00:00.000Z'],
  ])('%s', (text, due) => {
    expect(parseNaturalDate(text, russian)?.due ?? null).toBe(due);
  });

  test.each([
    '',
    'whenever',
    'когда-нибудь',
    '42',
    'в',
    'next',
    'через',
    '99:99',
    '2026-13-01',
    '32 дек',
    'маяк',
    'thursdays',
  ])('nothing in “%s”', (text) => {
    expect(parseNaturalDate(text, english)).toBeNull();
  });
});

describe('inside a sentence', () => {
  test.each([
    ['Сдать отчёт до пятницы и выдохнуть', 'до пятницы'],
    ['Call Boris tomorrow at 3pm, please', 'tomorrow at 3pm'],
    ['Купить ёлку 25 дек.', '25 дек'],
    ['Встреча (завтра 15:00)', 'завтра 15:00'],
    ['Stand-up at 8', 'at 8'],
    ['Stand-up 8:00 in the hall', '8:00'],
    ['Stand-up (at 8), with Boris', 'at 8'],
    ['Stand-up 8am', '8am'],
    ['Созвон в 8', 'в 8'],
    ['Созвон в 8 завтра', 'в 8 завтра'],
    ['Созвон 8 утра', '8 утра'],
    ['Созвон в 8 часов с Борисом', 'в 8 часов'],
    ['Выкатить в 2 ночи', 'в 2 ночи'],
    ['Завтра 3 часа работы', 'Завтра'],
    ['Sleep 8 h tomorrow', 'tomorrow'],
    ['Meet tomorrow in 2 rooms', 'tomorrow'],
  ])('of “%s” it is “%s”', (text, part) => {
    const found = parseNaturalDate(text, russian);
    expect(found && text.slice(found.start, found.end)).toBe(part);
    expect(found?.sure).toBe(true);
  });

  test.each([
    'Upgrade to Python 3.11',
    'Part 1/2',
    'Sun protection',
    'Read John 3:16',
    'Swim in 50 m pool',
    'Draw the house in 3D',
    'Sleep 8 h',
    'Sleep 8h',
    'Спать 8 часов',
    'Работать 4 ч',
    'Урок 1 час',
    'Increase by 5 h',
    'Спать до 8 часов',
    'Отпуск на 8 часов',
  ])('“%s” only may hold one', (text) => {
    expect(parseNaturalDate(text, english)?.sure).not.toBe(true);
  });

  test.each([
    "Fix today's list",
    'Release v25.12',
    'Write to mail@fri',
    'Use \\tomorrow',
    'tomorrow-theme',
    'Play the song in D minor',
    'Play it in a D minor key',
    'Order the shirt in M',
    'Explain it in minute detail',
    'Sign up in day care',
    'Meet at constructor',
    'Leak in H block',
    'Вход через Ч корпус',
    'Заказать через D-Link',
    'Look at 8 designs',
    'Fail at 8% load',
    'Divide by 8',
    'Sleep for 8',
    'Read the 8 rules',
    'Wait until 8 of them answer',
    'Ускорить в 2 раза',
    'Повесить в 8-м классе',
    'Сократить до 5',
    'Командировка 3 дня',
    'Уложиться в 3 дня',
    'Забронировать 2 ночи',
    'Занять 3 вечера',
    'Прибавить к 5',
  ])('“%s” holds none', (text) => {
    expect(parseNaturalDate(text, english)).toBeNull();
  });
});

test('the day is the one of the person’s time zone', () => {
  const now = new Date('2026-11-25T22:30:00Z');
  const tomorrow = (timeZone: string) => parseNaturalDate('tomorrow 9:00', { now, timeZone, language: 'en' })?.due;
  expect(tomorrow('Europe/Moscow')).toBe('2026-11-27T06:00:00.000Z');
  expect(tomorrow('America/New_York')).toBe('2026-11-26T14:00:00.000Z');
});

test.each([
  ['en-US', '2027-05-06', 'Nov 27'],
  ['en-GB', '2027-06-05', '27 Nov'],
])('days are read and written as in the region of the browser: %s', (region, read, written) => {
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['ru-RU', region]);
  expect(parseNaturalDate('5/6', english)?.due).toBe(read);
  expect(describeDue('2026-11-27', 'en', 'Europe/Moscow', NOW).text).toBe(written);
  expect(describeDue('2026-11-27', 'ru', 'Europe/Moscow', NOW).text).toMatch(/^27 нояб/);
});

test('in three months from the 30th is the last day of a shorter month', () => {
  const now = new Date('2026-11-30T10:00:00Z');
  expect(parseNaturalDate('in 3 months', { ...english, now })?.due).toBe('2027-02-28');
});
