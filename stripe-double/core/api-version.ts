/** The version that the SDK pins, and that every event carries. */
export const apiVersion = '2026-10-28.endive';
