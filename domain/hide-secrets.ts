/** Takes secrets and personal data out of text that is about to leave the process (I10). */

/**
 * By their form: Durabill's keys (not their first twelve characters, which name them), Stripe's keys and
 * signing secrets, and e-mail addresses.
 */
const forms = [
  /\bdbk_[A-Za-z0-9]{9,}/g,
  /\b(?:sk|rk|pk)_(?:test|live)_[A-Za-z0-9]+/g,
  /\bwhsec_[A-Za-z0-9+/=_-]+/g,
  /[\w.+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}/gi,
];
/** Card numbers have 15 or 16 digits, begin with 3 to 6 and end in a check digit (ISO/IEC 7812-1). */
const cardLike = /(?<![\w.-])[3-6](?:[ -]?\d){14,15}(?![\w-])/g;
/** What a line must hold at least to be looked at with care. */
const suspect = /dbk_|[srp]k_(?:test|live)_|whsec_|@|%40|[3-6](?:[ -]?\d){14}/i;
const hidden = '[hidden]';
const even = 2;
const ten = 10;

/** `known`: secrets that have no form, such as the admin token. */
export function hideSecrets(text: string, known: readonly string[] = []): string {
  let shown = text;
  for (const secret of known) shown = shown.replaceAll(secret, hidden);
  if (!suspect.test(shown)) return shown;
  for (const form of forms) shown = shown.replace(form, hidden);
  return shown.replace(cardLike, (digits) => (hasCheckDigit(digits) ? hidden : digits));
}

/** Luhn: from the right, each second digit twice, its digits added; the sum ends in 0. */
function hasCheckDigit(digits: string): boolean {
  const figures = Array.from(digits.replaceAll(/\D/g, ''), Number).toReversed();
  const sum = figures.reduce((total, figure, index) => {
    const counted = index % even === 1 ? figure * even : figure;
    return total + (counted >= ten ? counted - ten + 1 : counted);
  }, 0);
  return sum % ten === 0;
}
