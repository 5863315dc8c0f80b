/** A whole number as a reader compares it with others, with its unit: 1,234,567 B. */
export function formatAmount(amount: number, unit = "B"): string {
  return `${Math.round(amount).toLocaleString("en")} ${unit}`;
}
