/** Required by the licence of the place database (CC BY 4.0): named and linked where places are shown. */
export function PlaceCredit() {
  return (
    <a className="credit" href="https://db-ip.com" target="_blank" rel="noreferrer">
      IP Geolocation by DB-IP
    </a>
  );
}
