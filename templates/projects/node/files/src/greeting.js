/** A greeting for somebody. */
export function greetingTo(name) {
  return `Welcome, ${name}!`;
}
