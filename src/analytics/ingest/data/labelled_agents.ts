/**
 * User-Agents labelled by hand, for the test of `readAgent` and for the comparison of libraries in
 * docs/decisions/2026-11-25-agent-library.md. Written from what browsers document about themselves; columns: browser,
 * version, system, its version, device, User-Agent and, where they change the answer, client hints
 * `[sec-ch-ua, sec-ch-ua-platform, sec-ch-ua-mobile]`.
 */
export type LabelledAgent = readonly [
  browser: string,
  browserVersion: string,
  os: string,
  osVersion: string,
  device: 'Desktop' | 'Mobile' | 'Tablet' | '',
  userAgent: string,
  hints?: readonly [brands: string, platform: string, mobile: string],
];

const kit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const win = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const linux = 'Mozilla/5.0 (X11; Linux x86_64)';
const droid = 'Mozilla/5.0 (Linux; Android 10; K)';
const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X)';
const ipad = 'Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X)';
const appleKit = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';

export const labelledAgents: readonly LabelledAgent[] = [
  // Desktop browsers of today.
  ['Chrome', '131', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/131.0.0.0 Safari/537.36`],
  ['Chrome', '131', 'macOS', '10.15', 'Desktop', `${mac} ${kit} Chrome/131.0.0.0 Safari/537.36`],
  ['Chrome', '131', 'Linux', '', 'Desktop', `${linux} ${kit} Chrome/131.0.0.0 Safari/537.36`],
  ['Chrome', '131', 'Chrome OS', '14541', 'Desktop', `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${kit} Chrome/131.0.0.0 Safari/537.36`],
  ['Chrome', '109', 'Windows', '7', 'Desktop', `Mozilla/5.0 (Windows NT 6.1; Win64; x64) ${kit} Chrome/109.0.0.0 Safari/537.36`],
  ['Chrome', '109', 'Windows', '8.1', 'Desktop', `Mozilla/5.0 (Windows NT 6.3; Win64; x64) ${kit} Chrome/109.0.0.0 Safari/537.36`],
  ['Chrome', '49', 'Windows', 'XP', 'Desktop', `Mozilla/5.0 (Windows NT 5.1) ${kit} Chrome/49.0.2623.112 Safari/537.36`],
  ['Safari', '18.2', 'macOS', '10.15', 'Desktop', `${mac} ${appleKit} Version/18.2 Safari/605.1.15`],
  ['Safari', '26', 'macOS', '10.15', 'Desktop', `${mac} ${appleKit} Version/26.0 Safari/605.1.15`],
  ['Safari', '13.1', 'macOS', '10.13', 'Desktop', `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) ${appleKit} Version/13.1.2 Safari/605.1.15`],
  ['Firefox', '133', 'Windows', '10', 'Desktop', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0'],
  ['Firefox', '133', 'macOS', '10.15', 'Desktop', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:133.0) Gecko/20100101 Firefox/133.0'],
  ['Firefox', '133', 'Linux', '', 'Desktop', 'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0'],
  ['Firefox', '128', 'Linux', '', 'Desktop', 'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['Firefox', '115', 'Windows', '7', 'Desktop', 'Mozilla/5.0 (Windows NT 6.1; rv:109.0) Gecko/20100101 Firefox/115.0'],
  ['Firefox', '128', 'FreeBSD', '', 'Desktop', 'Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['Microsoft Edge', '131', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0`],
  ['Microsoft Edge', '131', 'macOS', '10.15', 'Desktop', `${mac} ${kit} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.2903.86`],
  ['Microsoft Edge', '18.19', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/64.0.3282.140 Safari/537.36 Edge/18.19041`],
  ['Opera', '115', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0`],
  ['Opera', '115', 'macOS', '10.15', 'Desktop', `${mac} ${kit} Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0`],
  ['Opera GX', '115', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0 (Edition GX)`],
  ['Vivaldi', '7', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/130.0.0.0 Safari/537.36 Vivaldi/7.0.3495.11`],
  ['Yandex Browser', '24.12', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/130.0.0.0 YaBrowser/24.12.0.0 Safari/537.36`],
  ['Whale', '3.28', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/128.0.0.0 Whale/3.28.266.14 Safari/537.36`],
  ['DuckDuckGo', '18.1', 'macOS', '10.15', 'Desktop', `${mac} ${appleKit} Version/18.1 Safari/605.1.15 Ddg/18.1`],
  ['DuckDuckGo', '131', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/131.0.0.0 Safari/537.36 Ddg/131.0`],
  ['Internet Explorer', '11', 'Windows', '10', 'Desktop', 'Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko'],
  ['Internet Explorer', '9', 'Windows', '7', 'Desktop', 'Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)'],
  ['QQ Browser', '13.4', 'Windows', '10', 'Desktop', `Mozilla/5.0 (Windows NT 10.0; WOW64) ${kit} Chrome/116.0.5845.97 Safari/537.36 QQBrowser/13.4.6256.400`],
  ['Avast Secure Browser', '131', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/131.0.0.0 Safari/537.36 Avast/131.0.0.0`],
  ['Epiphany', '605.1', 'Linux', '', 'Desktop', `Mozilla/5.0 (X11; Linux x86_64) ${appleKit} Version/17.0 Safari/605.1.15 Epiphany/605.1.15`],
  ['Waterfox', '91.9', 'Windows', '10', 'Desktop', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:91.0) Gecko/20100101 Firefox/91.0 Waterfox/91.9.1'],
  ['SeaMonkey', '2.53', 'Linux', '', 'Desktop', 'Mozilla/5.0 (X11; Linux x86_64; rv:91.0) Gecko/20100101 Firefox/91.0 SeaMonkey/2.53.18'],
  ['Opera', '12.16', 'Windows', '7', 'Desktop', 'Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.16'],
  ['Chrome', '131', 'Linux', '', 'Desktop', `Mozilla/5.0 (X11; Linux aarch64) ${kit} Chrome/131.0.0.0 Safari/537.36`],

  // Client hints say what the User-Agent hides.
  ['Brave', '131', 'macOS', '10.15', 'Desktop', `${mac} ${kit} Chrome/131.0.0.0 Safari/537.36`, ['"Brave";v="131", "Chromium";v="131", "Not_A Brand";v="24"', '"macOS"', '?0']],
  ['Brave', '131', 'Android', '10', 'Mobile', `${droid} ${kit} Chrome/131.0.0.0 Mobile Safari/537.36`, ['"Brave";v="131", "Chromium";v="131", "Not_A Brand";v="24"', '"Android"', '?1']],
  ['Chrome', '131', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/131.0.0.0 Safari/537.36`, ['"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"', '"Windows"', '?0']],
  ['Microsoft Edge', '131', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0`, ['"Microsoft Edge";v="131", "Chromium";v="131", "Not_A Brand";v="24"', '"Windows"', '?0']],
  ['Vivaldi', '7', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/130.0.0.0 Safari/537.36`, ['"Chromium";v="130", "Vivaldi";v="7.0", "Not?A_Brand";v="99"', '"Windows"', '?0']],
  ['DuckDuckGo', '131', 'Windows', '10', 'Desktop', `${win} ${kit} Chrome/131.0.0.0 Safari/537.36`, ['"Chromium";v="131", "DuckDuckGo";v="131", "Not_A Brand";v="24"', '"Windows"', '?0']],
  ['Chrome', '131', 'Android', '', 'Tablet', `${linux} ${kit} Chrome/131.0.0.0 Safari/537.36`, ['"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"', '"Android"', '?0']],
  ['Chrome', '131', 'Android', '10', 'Tablet', `${droid} ${kit} Chrome/131.0.0.0 Safari/537.36`, ['"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"', '"Android"', '?0']],

  // Phones.
  ['Chrome', '131', 'Android', '10', 'Mobile', `${droid} ${kit} Chrome/131.0.0.0 Mobile Safari/537.36`],
  ['Chrome', '119', 'Android', '13', 'Mobile', `Mozilla/5.0 (Linux; Android 13; Pixel 7) ${kit} Chrome/119.0.6045.163 Mobile Safari/537.36`],
  ['Chrome', '58', 'Android', '6', 'Mobile', `Mozilla/5.0 (Linux; Android 6.0; Nexus 5 Build/MRA58N) ${kit} Chrome/58.0.3029.110 Mobile Safari/537.36`],
  ['Safari', '17.4', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Version/17.4.1 Mobile/15E148 Safari/604.1`],
  ['Safari', '26', 'iOS', '26', 'Mobile', `Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) ${appleKit} Version/26.0 Mobile/15E148 Safari/604.1`],
  ['Safari', '26.1', 'iOS', '26.1', 'Mobile', `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) ${appleKit} Version/26.1 Mobile/15E148 Safari/604.1`],
  ['Safari', '12.1', 'iOS', '12.5', 'Mobile', `Mozilla/5.0 (iPhone; CPU iPhone OS 12_5_7 like Mac OS X) ${appleKit} Version/12.1.2 Mobile/15E148 Safari/604.1`],
  ['Chrome', '131', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1`],
  ['Firefox', '133', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} FxiOS/133.0 Mobile/15E148 Safari/605.1.15`],
  ['Microsoft Edge', '131', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Version/17.0 EdgiOS/131.0.2903.92 Mobile/15E148 Safari/604.1`],
  ['Opera', '5.4', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Version/17.4 Mobile/15E148 Safari/604.1 OPT/5.4.0`],
  ['DuckDuckGo', '17.4', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Version/17.4 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15 Ddg/17.4`],
  ['Brave', '17.4', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Version/17.4 Brave/1 Mobile/15E148 Safari/604.1`],
  ['Firefox', '133', 'Android', '14', 'Mobile', 'Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0'],
  ['Firefox', '133', 'Android', '14', 'Tablet', 'Mozilla/5.0 (Android 14; Tablet; rv:133.0) Gecko/133.0 Firefox/133.0'],
  ['Firefox Focus', '133', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Focus/133.0 Mobile/15E148 Safari/605.1.15`],
  ['Microsoft Edge', '131', 'Android', '10', 'Mobile', `${droid} ${kit} Chrome/131.0.0.0 Mobile Safari/537.36 EdgA/131.0.0.0`],
  ['Samsung Browser', '27', 'Android', '10', 'Mobile', `${droid} ${kit} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36`],
  ['Samsung Browser', '23', 'Android', '13', 'Mobile', `Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S911B) ${kit} SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36`],
  ['Opera', '86', 'Android', '10', 'Mobile', `${droid} ${kit} Chrome/130.0.0.0 Mobile Safari/537.36 OPR/86.0.0.0`],
  ['Opera Mini', '83', 'Android', '11', 'Mobile', 'Mozilla/5.0 (Linux; U; Android 11; SM-A125F Build/RP1A.200720.012; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 OPR/83.0.2254.72599 OPRMini'],
  ['Opera Mini', '7.1', '', '', 'Mobile', 'Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10'],
  ['DuckDuckGo', '5', 'Android', '10', 'Mobile', `Mozilla/5.0 (Linux; Android 10) ${kit} Version/4.0 Chrome/131.0.0.0 Mobile DuckDuckGo/5 Safari/537.36`],
  ['UC Browser', '13.4', 'Android', '11', 'Mobile', 'Mozilla/5.0 (Linux; U; Android 11; en-US; RMX3195 Build/RP1A.200720.011) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.4.0.1306 Mobile Safari/537.36'],
  ['MIUI Browser', '14.5', 'Android', '13', 'Mobile', 'Mozilla/5.0 (Linux; U; Android 13; en-us; 2201117TG Build/TKQ1.221114.001) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.5.0-gn'],
  ['Huawei Browser', '14', 'Android', '10', 'Mobile', `Mozilla/5.0 (Linux; Android 10; ELS-NX9; HMSCore 6.12.0.302) ${kit} Chrome/114.0.5735.196 HuaweiBrowser/14.0.4.301 Mobile Safari/537.36`],
  ['Vivaldi', '7', 'Android', '10', 'Mobile', `${droid} ${kit} Chrome/130.0.0.0 Mobile Safari/537.36 Vivaldi/7.0.3505.61`],
  ['Yandex Browser', '24.12', 'Android', '10', 'Mobile', `Mozilla/5.0 (Linux; arm_64; Android 10; SM-G965F) ${kit} Chrome/130.0.6723.59 YaBrowser/24.12.0.227.00 SA/3 Mobile Safari/537.36`],
  ['QQ Browser', '14.8', 'Android', '12', 'Mobile', 'Mozilla/5.0 (Linux; U; Android 12; zh-cn; PEQM00 Build/SP1A.210812.016) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/109.0.5414.86 MQQBrowser/14.8 Mobile Safari/537.36 COVC/046915'],
  ['Android Browser', '4', 'Android', '4.4', 'Mobile', 'Mozilla/5.0 (Linux; U; Android 4.4.2; en-us; SCH-I535 Build/KOT49H) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30'],
  ['Whale', '3', 'Android', '13', 'Mobile', `Mozilla/5.0 (Linux; Android 13; SM-S908N) ${kit} Chrome/116.0.0.0 Whale/3.0.0.0 Mobile Safari/537.36`],
  ['Ecosia', '8.2', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Version/17.4 Mobile/15E148 Safari/604.1 (Ecosia ios@8.2.1.1476)`],
  ['Chrome', '79', 'KaiOS', '2.5', 'Mobile', `Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) ${kit} KAIOS/2.5.4 Chrome/79.0 Mobile Safari/537.36`],
  ['Firefox', '48', 'KaiOS', '2.5', 'Mobile', 'Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.1'],

  // Inside apps.
  ['Facebook', '494', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/21E236 [FBAN/FBIOS;FBAV/494.0.0.43.109;FBBV/674811129;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.4.1;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5]`],
  ['Facebook', '494', 'Android', '14', 'Mobile', 'Mozilla/5.0 (Linux; Android 14; SM-S921B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.81 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/494.0.0.47.109;]'],
  ['Facebook', '435', 'Android', '13', 'Tablet', 'Mozilla/5.0 (Linux; Android 13; SM-X700 Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/117.0.5938.154 Safari/537.36 [FB_IAB/FB4A;FBAV/435.0.0.42.112;]'],
  ['Messenger', '484', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/21E236 [FBAN/MessengerForiOS;FBAV/484.0.0.35.103;FBBV/659483948;FBDV/iPhone13,2;FBMD/iPhone;FBSN/iOS;FBSV/17.4.1;FBSS/3;FBID/phone;FBLC/en_GB;FBOP/5]`],
  ['Instagram', '359', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/21E236 Instagram 359.0.0.32.89 (iPhone14,5; iOS 17_4_1; en_US; en; scale=3.00; 1170x2532; 672535977)`],
  ['Instagram', '359', 'Android', '14', 'Mobile', 'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A.240205.004; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.81 Mobile Safari/537.36 Instagram 359.0.0.59.89 Android (34/14; 420dpi; 1080x2205; Google/google; Pixel 8; shiba; shiba; en_US; 674675155)'],
  ['Threads', '358', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/21E236 Barcelona 358.0.0.26.104 (iPhone14,5; iOS 17_4_1; en_US; en; scale=3.00; 1170x2532; 668742163)`],
  ['TikTok', '37.4', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/15E148 musical_ly_37.4.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/en Region/US FalconTag/0 BytedanceWebview/d8a21c6`],
  ['TikTok', '370400', 'Android', '13', 'Mobile', 'Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.39 Mobile Safari/537.36 trill_370400 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/trill app_version/37.4.0 ByteLocale/en ByteFullLocale/en Region/GB BytedanceWebview/d8a21c6'],
  ['Snapchat', '13.19', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Version/17.4 Mobile/15E148 Snapchat/13.19.0.42 (like Safari/8617.1.17.10.9, panda)`],
  ['Pinterest', '12.48', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/21E236 [Pinterest/iOS] 12.48`],
  ['LinkedIn', '9.30', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/15E148 [LinkedInApp]/9.30.4271`],
  ['X', '10.68', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Version/17.4 Mobile/15E148 Safari/604.1 Twitter for iPhone/10.68`],
  ['WeChat', '8', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/15E148 MicroMessenger/8.0.53(0x18003531) NetType/WIFI Language/zh_CN`],
  ['WeChat', '8', 'Android', '13', 'Mobile', 'Mozilla/5.0 (Linux; Android 13; V2183A Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.188 Mobile Safari/537.36 XWEB/1260117 MMWEBSDK/20240501 MicroMessenger/8.0.50.2701(0x28003252) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64'],
  ['Line', '14.20', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/15E148 Safari Line/14.20.0`],
  ['KakaoTalk', '10.9', 'Android', '13', 'Mobile', 'Mozilla/5.0 (Linux; Android 13; SM-S911N Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.81 Mobile Safari/537.36;KAKAOTALK 10.9.5'],
  ['Google app', '343', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} GSA/343.0.695551749 Mobile/15E148 Safari/604.1`],
  ['Android WebView', '131', 'Android', '14', 'Mobile', 'Mozilla/5.0 (Linux; Android 14; SM-G991B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.81 Mobile Safari/537.36'],
  ['iOS WebView', '17.4', 'iOS', '17.4', 'Mobile', `${iphone} ${appleKit} Mobile/15E148`],

  // Tablets.
  ['Safari', '17.4', 'iOS', '17.4', 'Tablet', `${ipad} ${appleKit} Version/17.4 Mobile/15E148 Safari/604.1`],
  ['Chrome', '131', 'iOS', '17.4', 'Tablet', `${ipad} ${appleKit} CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1`],
  ['Chrome', '131', 'Android', '10', 'Tablet', `${droid} ${kit} Chrome/131.0.0.0 Safari/537.36`],
  ['Chrome', '119', 'Android', '13', 'Tablet', `Mozilla/5.0 (Linux; Android 13; SM-X900) ${kit} Chrome/119.0.0.0 Safari/537.36`],
  ['Samsung Browser', '23', 'Android', '13', 'Tablet', `Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-X810) ${kit} SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36`],
  ['Silk', '120.3', 'Android', '11', 'Tablet', `Mozilla/5.0 (Linux; Android 11; KFTRWI) ${kit} Silk/120.3.2 like Chrome/120.0.6099.193 Safari/537.36`],
  ['Chrome', '96', 'Android', '12', 'Tablet', `Mozilla/5.0 (Linux; Android 12; Lenovo TB-J606F) ${kit} Chrome/96.0.4664.104 Safari/537.36`],
  ['Instagram', '359', 'iOS', '17.4', 'Tablet', `${ipad} ${appleKit} Mobile/21E219 Instagram 359.0.0.32.89 (iPad13,1; iPadOS 17_4; en_US; en; scale=2.00; 1640x2360; 672535977)`],
  ['Microsoft Edge', '131', 'Android', '13', 'Tablet', `Mozilla/5.0 (Linux; Android 13; SM-T870) ${kit} Chrome/131.0.0.0 Safari/537.36 EdgA/131.0.0.0`],

  // Televisions and consoles are of none of the three classes.
  ['Samsung Browser', '5', 'Tizen', '7', '', 'Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/5.0 Chrome/94.0.4606.31 TV Safari/537.36'],
  ['Chrome', '94', 'webOS', '', '', 'Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager'],
  ['Silk', '120.3', 'Android', '9', '', `Mozilla/5.0 (Linux; Android 9; AFTKA) ${kit} Silk/120.3.2 like Chrome/120.0.6099.193 Safari/537.36`],
  ['Android WebView', '120', 'Android', '12', '', 'Mozilla/5.0 (Linux; Android 12; BRAVIA 4K UR3 Build/STT2.230203.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.6099.144 Mobile Safari/537.36'],
  ['PlayStation', '', 'PlayStation', '5', '', 'Mozilla/5.0 (PlayStation; PlayStation 5/6.50) AppleWebKit/605.1.15 (KHTML, like Gecko)'],
  ['PlayStation', '', 'PlayStation', '4', '', 'Mozilla/5.0 (PlayStation 4 11.00) AppleWebKit/605.1.15 (KHTML, like Gecko)'],
  ['Microsoft Edge', '120', 'Xbox', '', '', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edge/120.0.2210.91'],
  ['Nintendo Browser', '', 'Nintendo', '', '', 'Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 (KHTML, like Gecko) NF/6.0.2.22.5 NintendoBrowser/5.1.0.22474'],
  ['Oculus Browser', '35', 'Android', '12', '', 'Mozilla/5.0 (X11; Linux x86_64; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/35.3.0.21.49.646873513 Chrome/130.0.6723.58 VR Safari/537.36'],
];
