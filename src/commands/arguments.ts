/** Why a flag's argument can't be taken, or undefined. */
export type WhyWrong = (text: string) => string | undefined;

/** A mirror's address: http or https, with a host, and with no login: it would stand in the image and in logs. */
export const address: WhyWrong = (text) => {
  const isAddress = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !/\s/.test(text);
  if (!isAddress) return 'must be an address such as https://mirror.example.org/debian';
  const { username, password } = new URL(text);
  return username === '' && password === '' ? undefined : 'must hold no login: it would stand in the image';
};

/** A whole number from `least` to `most`: digits alone. */
export function wholeNumber(least: number, most: number): WhyWrong {
  return (text) =>
    /^[0-9]{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;
}
