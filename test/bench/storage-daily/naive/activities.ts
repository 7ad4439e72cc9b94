export { measureCustomer } from '../plain/measure.ts';
