/**
 * Hosts whose visits are made only to appear in other people's statistics. Selected by hand from the list of
 * https://github.com/matomo-org/referrer-spam-list ("Public Domain (no copyright)"): sellers of traffic, rankings and
 * buttons, and the families of names they use. Left out are its entries that are also somebody's ordinary site
 * (link shorteners, hosters, forums, shops), because a real link from those must count.
 */
export const spamHosts = `
0n-line.tv 100dollars-seo.com 1-99seo.com 1-free-share-buttons.com 12masterov.com 1pamm.ru 1webmaster.ml
24x7-server-support.site 4webmasters.org 5-steps-to-start-business.com 5forex.ru 6hopping.com 7makemoneyonline.com
7zap.com abcdefh.xyz abcdeg.xyz acads.net acunetix-referrer.com adcash.com adspart.com adtiger.tk adviceforum.info
advokateg.xyz affordablewebsitesandmobileapps.com afora.ru aidarmebel.kz alfabot.xyz alibestsale.com aliexsale.ru
alkanfarma.org allknow.info allnews.md allwomen.info alpharma.net amazon-seo-service.com anabolics.shop
analytics-ads.xyz anapa-inns.ru android-style.com animalphotos.xyz anticrawler.org arendakvartir.kz arendovalka.xyz
arkkivoltti.net artblog.top artparquet.ru aruplighting.com auto-b2b-seo-service.com auto-seo-service.org
autoseo-service.org autoseo-traffic.com autoseotips.com autovideobroadcast.com aviva-limoux.com avkzarabotok.info
azartclub.org azlex.uz baixar-musicas-gratis.com baladur.ru balkanfarma.org bard-real.com.ua batut-fun.ru
best-deal-hdd.pro best-ping-service-usa.blue best-seo-offer.com best-seo-software.xyz best-seo-solution.com
bestfortraders.com bestofferhddbyt.info bestofferhddeed.info bestwebsitesawards.com betterhealthbeauty.com bif-ru.info
biglistofwebsites.com bin-brokers.com bio-market.kz biteg.xyz bizru.info black-friday.ga blackhatworth.com blog2019.xyz
blog4u.top blogseo.xyz blogstar.fun blogtotal.de bluerobot.info boltalko.xyz boostmyppc.com bpro1.top brakehawk.com
brateg.xyz break-the-chains.com brk-rti.ru brothers-smaller.ru budilneg.xyz budmavtomatika.com.ua bufetout.ru
buketeg.xyz bukleteg.xyz burger-imperia.com burn-fat.ga buttons-for-website.com buttons-for-your-website.com
buy-cheap-online.info buy-cheap-pills-order-online.com buy-forum.ru buy-meds24.com buypillsonline24h.com
call-of-duty.info cardiosport.com.ua cenokos.ru cenoval.ru cezartabac.ro cheap-trusted-backlinks.com cheappills24h.com
chinese-amezon.com cityadspix.com civilwartheater.com clicksor.com coderstate.com codysbbq.com commerage.ru
conciergegroup.org connectikastudio.com copyrightclaims.org copyrightinstitute.org covadhosting.biz cubook.supernew.org
customsua.com.ua cyber-monday.ga dailyrank.net dailyseo.xyz darodar.com dbutton.net delfin-aqua.com.ua demenageur.com
descargar-musica-gratis.net detskie-konstruktory.ru dev-seo.blog dipstar.org djekxa.ru djonwatch.ru docsarchive.net
docsportal.net documentbase.net documentserver.net documentsite.net dogsrun.net dojki-hd.com domain-tracker.com
dominateforex.ml domination.ml doska-vsem.ru dostavka-v-krym.com dosugrostov.site drugstoreforyou.com e-buyeasy.com
e-commerce-seo.com e-commerce-seo1.com earn-from-articles.com earnian-money.info easycommerce.cf ecblog.xyz
ecommerce-seo.org econom.co edakgfvwql.ru edudocs.net eduinfosite.com eduserver.net egovaleo.it ek-invest.ru
ekatalog.xyz ekto.ee elmifarhangi.com erot.co escort-russian.com este-line.com.ua etairikavideo.gr
eu-cookie-law-enforcement2.xyz euromasterclass.ru europages.com.ru eurosamodelki.ru event-tracking.com exdocsfiles.com
eyes-on-you.ga f1nder.org fast-wordpress-start.com fbdownloader.com fidalsa.de filesclub.net filesdatabase.net
financial-simulation.com finansov.info fix-website-errors.com floating-share-buttons.com flowertherapy.ru flyblog.xyz
for-marketersy.info for-your.website forex-procto.ru forsex.info fortwosmartcar.pw forum69.info foxweber.com
free-fb-traffic.com free-fbook-traffic.com free-floating-buttons.com free-share-buttons.com free-social-buttons.com
free-social-buttons.xyz free-social-buttons7.xyz free-traffic.xyz free-video-tool.com free-website-traffic.com
freewhatsappload.com fsalas.com game300.ru gearsadspromo.club generalporn.org germes-trans.com get-clickize.info
get-free-social-traffic.com get-free-traffic-now.com get-more-freeer-visitors.info get-more-freeish-visitors.info
get-seo-help.com get-your-social-buttons.info getaadsincome.info getadsincomely.info getfy-click.info
getlamborghini.ga getpy-click.info getrichquick.ml getrichquickly.info ghazel.ru ghostvisitor.com girlporn.ru
gkvector.ru glavprofit.ru global-smm.ru gobongo.info goodprotein.ru google-liar.ru googlemare.com googlsucks.com
growth-hackingan.info growth-hackingor.info growth-hackingy.info guardlink.org handicapvantoday.com hard-porn.mobi
havepussy.com hdmoviecamera.net hdmoviecams.com hongfanji.com hosting-tracker.com howopen.ru howtostopreferralspam.eu
hulfingtonpost.com humanorightswatch.org hundejo.com hvd-store.com hyip-zanoza.me igadgetsworld.com igru-xbox.net
ilikevitaly.com iloveitaly.ro iloveitaly.ru ilovevitaly.co ilovevitaly.com ilovevitaly.info ilovevitaly.org
ilovevitaly.ru ilovevitaly.xyz iminent.com imperiafilm.ru incomekey.net increasewwwtraffic.info infodocsportal.com
inform-ua.info interferencer.ru investpamm.ru iskalko.ru jav-fetish.site jjbabskoe.ru jumkite.com justprofit.xyz
kabbalah-red-bracelets.com kambasoft.com kazrent.com kevblog.top keywords-monitoring-success.com
keywords-monitoring-your-success.com kinobum.org kinopolet.net kinosed.net knigonosha.net komp-pomosch.ru konkursov.net
kozhasobak.com krumble-adsde.info krumble-adsen.info krumbleent-ads.info landliver.org landoftracking.com
law-check-two.xyz law-enforcement-bot-ff.xyz law-enforcement-check-three.xyz law-enforcement-ee.xyz law-six.xyz
laxdrills.com leeboyrussia.com legalrc.biz lerporn.info livefixer.com livingroomdecoratingideas.website
local-seo-for-multiple-locations.com lsex.xyz lumb.co luxup.ru magicdiet.gq makemoneyonline.com makeprogress.ga
manualterap.roleforum.ru maridan.com.ua marketland.ml masterseek.com matras.space maxxximoda.ru meds-online24.com
mifepriston.net mikrozaym2you.ru minegam.com mirobuvi.com.ua mirtorrent.net mobilemedia.md modforwot.ru
monetizationking.net money-for-placing-articles.com money7777.info moneytop.ru moneyzzz.ru mosrif.ru mostorgnerud.ru
moyakuhnia.ru mrbojikobi4.biz muscle-factory.com.ua musichallaudio.ru mycheaptraffic.com needtosellmyhousefast.com
net-profits.xyz newsrosprom.ru newstaffadsshop.club niki-mlt.ru novosti-hi-tech.ru nubuilderian.info nufaq.com
o-o-11-o-o.com o-o-6-o-o.com o-o-6-o-o.ru o-o-8-o-o.com o-o-8-o-o.ru obsessionphrases.com odsadsmobile.biz
offers.bycontext.com online-hit.info online-intim.com online-templatestore.com onlinetvseries.me onlinewot.ru
onlywoman.org ooo-olni.ru ownshop.cf ozas.net paidonlinesites.com palvira.com.ua perform-like-alibabaity.info
perform-likeism-alibaba.info petrovka-online.com photokitchendesign.com picturesmania.com pills24h.com piulatte.cz
pizza-imperia.com pizza-tycoon.com pk-pomosch.ru podemnik.pro podseka1.ru pops.foundation porndl.org pornhive.org
pornhub-forum.ga pornhub-ru.com porno-chaman.info pornoelita.info pornoforadult.com pornogig.com pornohd1080.online
pornoklad.ru pornonik.com pornoplen.com portnoff.od.ua priceg.com pricheski-video.com prlog.ru procrafts.ru
prodaemdveri.com producm.ru prointer.net.ua promoforum.ru promotion-for99.com pron.pro prostitutki-rostova.ru.com
psa48.ru purchasepillsnorx.com qualitymarketzone.com quit-smoking.ga qwesa.ru rank-checker.online
rankings-analytics.com ranksonic.info ranksonic.net ranksonic.org rapidgator-porn.ga rapidsites.pro rcb101.ru
rednise.com replica-watch.ru resell-seo-services.com responsive-test.net reversing.cc rightenergysolutions.com.au
rospromtest.ru rusexy.xyz sady-urala.ru sanjosestartups.com santasgift.ml savetubevideo.com savetubevideo.info scat.porn
screentoolkit.com search-error.com sell-fb-group-here.com semalt.com semaltmedia.com seo-2-0.com seo-platform.com
seo-services-b2b.com seo-services-wordpress.com seo-smm.kz seo-tips.top seoanalyses.com seobook.top seocheckupx.com
seocheckupx.net seoexperimenty.ru seojokes.net seopub.net seoservices2018.com sexsaoy.com sexyali.com
sexyteens.hol.es share-buttons-for-free.com share-buttons.xyz sharebutton.io sharebutton.net sharebutton.to
shoppingmiracles.co.uk sibecoprom.ru simple-share-buttons.com site-auditor.online siteripz.net sitevaluation.org
sledstvie-veli.net slftsdybbg.ru slow-website.xyz smailik.org smartphonediscount.info snegozaderzhatel.ru soaksoak.ru
social-button.xyz social-buttons-ii.xyz social-buttons.com social-widget.xyz socialbuttons.xyz socialseet.ru
socialtrade.biz sohoindia.net solnplast.ru sosdepotdebilan.com speedup-my.site spin2016.cf sssexxx.net steame.ru
store-rx.com stream-tds.com success-seo.com sundrugstore.com superiends.org svetka.info t-rec.su taihouse.ru
td-perimetr.ru tedxrj.com tgtclick.com theautoprofit.ml theguardlan.com thesmartsearch.net tokshow.online tomck.com
top-l2.com top1-seo-service.com top10-way.com topquality.cf topseoservices.co track-rankings.online traffic-cash.xyz
traffic2cash.org traffic2cash.xyz traffic2money.com trafficgenius.xyz trafficmonetize.org trafficmonetizer.org
trion.od.ua uasb.ru unlimitdocs.net unpredictable.ga uptimechecker.com uzungil.com validus.pro vardenafil20.com
ventopt.by viagra-soft.ru video--production.com video-woman.com videos-for-your-business.com viel.su
viktoria-center.ru vodaodessa.com vodkoved.ru w3javascript.com wakeupseoconsultant.com we-ping-for-youic.info
web-revenue.xyz
`
  .trim()
  .split(/\s+/);

/** Names registered by the dozen. Matched against the registrable end of a host. */
export const spamHostFamilies: readonly RegExp[] = [
  /(?:^|\.)(?:eu-)?cookie-law-enforcement[\w-]*\.xyz$/,
  /(?:^|\.)compliance-[a-z]+\.(?:xyz|top)$/,
  /(?:^|\.)social-traffic-\d+\.xyz$/,
  /(?:^|\.)\d{1,2}-best-seo\.com$/,
  /(?:^|\.)\d{1,3}-reasons-for-seo\.(?:com|net)$/,
  /(?:^|\.)law-enforcement-[\w-]+\.xyz$/,
  /(?:^|\.)(?:semalt|darodar|ilovevitaly|buttons-for-(?:your-)?website|free-(?:share|social|floating)-buttons\d*)\.[a-z]{2,6}$/,
];
