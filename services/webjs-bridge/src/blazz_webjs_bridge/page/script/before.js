// In front of wa-js, which reads its settings once. Without these it reports each start and sign-in to an analytics
// account of its makers, and has servers of third parties look at the links that people send.
window.WPPConfig = { disableGoogleAnalytics: true, linkPreviewApiServers: [], poweredBy: null };
