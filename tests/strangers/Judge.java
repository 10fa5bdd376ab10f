import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Security;
import java.security.Signature;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathValidator;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javax.xml.XMLConstants;
import javax.xml.crypto.NodeSetData;
import javax.xml.crypto.OctetStreamData;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.TransformService;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cryptopro.ECGOST3410NamedCurves;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.OCSPReq;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.SignerInfoGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jce.interfaces.ECPrivateKey;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.ContentVerifierProvider;
import org.bouncycastle.operator.DefaultDigestAlgorithmIdentifierFinder;
import org.bouncycastle.operator.bc.BcDigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;
import org.bouncycastle.util.Arrays;
import org.bouncycastle.util.CollectionStore;
import org.w3c.dom.Attr;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * BouncyCastle as a judge of GOST: reads a question per line, writes a verdict per line.
 *
 * <p>A question is a verb and its arguments with tabs between; files hold DER. A verdict is "yes"
 * or "no" and what there is to say.
 */
public final class Judge {
    private static final String BC = BouncyCastleProvider.PROVIDER_NAME;
    private static final long DAY = 86_400_000L;

    public static void main(String[] none) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            var parts = line.split("\t", 2);
            String verdict;
            try {
                verdict = answer(parts[0], parts.length > 1 ? parts[1].split("\t") : parts);
            } catch (Exception | LinkageError error) {
                verdict = "no " + error;
            }
            System.out.println(verdict.replaceAll("\\s+", " "));
            System.out.flush();
        }
    }

    private static String answer(String verb, String[] words) throws Exception {
        return switch (verb) {
            case "version" -> "yes " + Security.getProvider(BC).getInfo();
            case "certificate" -> certificate(words);
            case "chain" -> chain(words);
            case "path" -> path(words);
            case "request" -> request(words);
            case "list" -> list(words);
            case "answer" -> status(words);
            case "stamp" -> stamp(words);
            case "signature" -> signature(words);
            case "public" -> "yes " + HexFormat.of().formatHex(publicKey(words));
            case "make-root" -> makeRoot(words);
            case "make-request" -> makeRequest(words);
            case "make-list" -> makeList(words);
            case "make-answer" -> makeAnswer(words);
            case "make-stamp" -> makeStamp(words);
            case "make-signature" -> makeSignature(words);
            case "xml" -> xml(words);
            case "make-xml" -> makeXml(words);
            default -> "no such verb";
        };
    }

    // ---- judging

    /** certificate, issuer. */
    private static String certificate(String[] words) throws Exception {
        return yes(holder(words[0]).isSignatureValid(verifier(holder(words[1]))));
    }

    /** certificate, root: a path by PKIX. */
    private static String chain(String[] words) throws Exception {
        var factory = CertificateFactory.getInstance("X.509", BC);
        var rules = new PKIXParameters(Set.of(new TrustAnchor(certificateOf(words[1]), null)));
        rules.setRevocationEnabled(false);
        var path = factory.generateCertPath(List.of(certificateOf(words[0])));
        CertPathValidator.getInstance("PKIX", BC).validate(path, rules);
        return "yes";
    }

    /**
     * moment in seconds, certificate, anchors, others (bundles in PEM), acceptable policies with
     * commas, and which of the words explicit, unmapped, no-any are said: whether there is a path.
     */
    private static String path(String[] words) throws Exception {
        var anchors = new HashSet<TrustAnchor>();
        for (var each : bundle(words[2])) {
            anchors.add(new TrustAnchor((X509Certificate) each, null));
        }
        var peer = (X509Certificate) bundle(words[1]).iterator().next();
        var known = new ArrayList<Certificate>(bundle(words[3]));
        known.add(peer);
        var target = new X509CertSelector();
        target.setCertificate(peer);
        var rules = new PKIXBuilderParameters(anchors, target);
        rules.setRevocationEnabled(false);
        rules.setMaxPathLength(9); // instead of 5
        rules.setDate(new Date(Long.parseLong(words[0]) * 1000));
        rules.addCertStore(
                CertStore.getInstance("Collection", new CollectionCertStoreParameters(known), BC));
        rules.setInitialPolicies(Set.of(words[4].split(",")));
        rules.setExplicitPolicyRequired(words[5].contains("explicit"));
        rules.setPolicyMappingInhibited(words[5].contains("unmapped"));
        rules.setAnyPolicyInhibited(words[5].contains("no-any"));
        CertPathBuilder.getInstance("PKIX", BC).build(rules);
        return "yes";
    }

    /** request. */
    private static String request(String[] words) throws Exception {
        var request = new PKCS10CertificationRequest(read(words[0]));
        var key = new JcaContentVerifierProviderBuilder().setProvider(BC);
        return yes(request.isSignatureValid(key.build(request.getSubjectPublicKeyInfo())));
    }

    /** list, issuer, serial number: whether the list is genuine; says whether the number is there. */
    private static String list(String[] words) throws Exception {
        var list = new X509CRLHolder(read(words[0]));
        var entry = list.getRevokedCertificate(new BigInteger(words[2]));
        var said = entry == null ? " good" : " revoked";
        return yes(list.isSignatureValid(verifier(holder(words[1])))) + said;
    }

    /** answer, root: whether a service of the root signed it; says the status. */
    private static String status(String[] words) throws Exception {
        var basic = (BasicOCSPResp) new OCSPResp(read(words[0])).getResponseObject();
        var root = holder(words[1]);
        var service = basic.getCerts()[0];
        var charged = service.isSignatureValid(verifier(root));
        var status = basic.getResponses()[0].getCertStatus();
        var said = status == null ? " good" : " " + status.getClass().getSimpleName();
        return yes(charged && basic.isSignatureValid(verifier(service))) + said;
    }

    /** response, request, certificate of the service. */
    private static String stamp(String[] words) throws Exception {
        var response = new TimeStampResponse(read(words[0]));
        response.validate(new TimeStampRequest(read(words[1])));
        response.getTimeStampToken().validate(signerVerifier(holder(words[2])));
        return "yes";
    }

    /** signature, and the content when it is apart: whether every signer's is good. */
    private static String signature(String[] words) throws Exception {
        var data =
                words.length > 1
                        ? new CMSSignedData(
                                new CMSProcessableByteArray(read(words[1])), read(words[0]))
                        : new CMSSignedData(read(words[0]));
        var signers = data.getSignerInfos().getSigners();
        var good = 0;
        for (SignerInformation signer : signers) {
            for (var found : holders(data, signer)) {
                good += signer.verify(signerVerifier(found)) ? 1 : 0;
            }
        }
        return yes(good > 0 && good == signers.size()) + " " + good;
    }

    /** private key: the public key as in a certificate, x and y from the least octet. */
    private static byte[] publicKey(String[] words) throws Exception {
        var key = (ECPrivateKey) privateKey(words[0]);
        var parameters = key.getParameters();
        var point = parameters.getG().multiply(key.getD()).normalize();
        var x = point.getAffineXCoord().getEncoded();
        var y = point.getAffineYCoord().getEncoded();
        return Arrays.concatenate(Arrays.reverse(x), Arrays.reverse(y));
    }

    // ---- making

    /** curve, files for the private key and the certificate. */
    private static String makeRoot(String[] words) throws Exception {
        var name = ECGOST3410NamedCurves.getName(new ASN1ObjectIdentifier(words[0]));
        var generator = KeyPairGenerator.getInstance("ECGOST3410-2012", BC);
        generator.initialize(new ECGenParameterSpec(name));
        var pair = generator.generateKeyPair();
        var subject = new X500Name("CN=BouncyCastle");
        var now = System.currentTimeMillis();
        var certificate =
                new JcaX509v3CertificateBuilder(
                                subject,
                                BigInteger.TEN,
                                new Date(now - DAY),
                                new Date(now + 9 * DAY),
                                subject,
                                pair.getPublic())
                        .addExtension(Extension.basicConstraints, true, new BasicConstraints(true))
                        .addExtension(
                                Extension.keyUsage,
                                true,
                                new KeyUsage(
                                        KeyUsage.keyCertSign
                                                | KeyUsage.cRLSign
                                                | KeyUsage.digitalSignature))
                        .build(signer(pair.getPrivate()));
        write(words[1], pair.getPrivate().getEncoded());
        return write(words[2], certificate.getEncoded());
    }

    /** private key, certificate with its public key, file. */
    private static String makeRequest(String[] words) throws Exception {
        var key = certificateOf(words[1]).getPublicKey();
        var request = new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=Owner"), key);
        return write(words[2], request.build(signer(privateKey(words[0]))).getEncoded());
    }

    /** private key, certificate of the authority, revoked number, file. */
    private static String makeList(String[] words) throws Exception {
        var now = System.currentTimeMillis();
        var list =
                new X509v2CRLBuilder(holder(words[1]).getSubject(), new Date(now - DAY))
                        .setNextUpdate(new Date(now + DAY))
                        .addCRLEntry(
                                new BigInteger(words[2]),
                                new Date(now - DAY),
                                CRLReason.keyCompromise)
                        .build(signer(privateKey(words[0])));
        return write(words[3], list.getEncoded());
    }

    /** private key and certificate of the service, request, file: all are revoked. */
    private static String makeAnswer(String[] words) throws Exception {
        var request = new OCSPReq(read(words[2]));
        var now = new Date();
        var nonce = request.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
        var service = holder(words[1]);
        var builder = new BasicOCSPRespBuilder(new RespID(service.getSubject()));
        for (var each : request.getRequestList()) {
            var since = new Date(now.getTime() - DAY);
            builder.addResponse(
                    each.getCertID(), new RevokedStatus(since, CRLReason.keyCompromise));
        }
        builder.setResponseExtensions(new Extensions(nonce));
        var chain = new X509CertificateHolder[] {service};
        var basic = builder.build(signer(privateKey(words[0])), chain, now);
        var response = new OCSPRespBuilder().build(OCSPRespBuilder.SUCCESSFUL, basic);
        return write(words[3], response.getEncoded());
    }

    /** private key and certificate of the service, request, file. */
    private static String makeStamp(String[] words) throws Exception {
        var request = new TimeStampRequest(read(words[2]));
        var service = holder(words[1]);
        var sha256 = new DefaultDigestAlgorithmIdentifierFinder().find("SHA-256");
        var digest = new BcDigestCalculatorProvider().get(sha256);
        var tokens =
                new TimeStampTokenGenerator(
                        signerInfo(words[0], service), digest, new ASN1ObjectIdentifier("1.2.3.4"));
        tokens.addCertificates(new CollectionStore<>(List.of(service)));
        var imprint = request.getMessageImprintAlgOID();
        var response =
                new TimeStampResponseGenerator(tokens, Set.of(imprint.getId()))
                        .generate(request, BigInteger.ONE, new Date());
        return write(words[3], response.getEncoded());
    }

    /** private key, certificate, content, file, whether the content goes in. */
    private static String makeSignature(String[] words) throws Exception {
        var certificate = holder(words[1]);
        var generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(signerInfo(words[0], certificate));
        generator.addCertificate(certificate);
        var content = new CMSProcessableByteArray(read(words[2]));
        return write(words[3], generator.generate(content, words[4].equals("true")).getEncoded());
    }

    // ---- XML: the trees and their canonical form are of the JDK

    /** document: whether its first signature holds. */
    private static String xml(String[] words) throws Exception {
        var signature = first(parse(words[0]), "Signature");
        var reference = first(signature, "Reference");
        var digest = Base64.getMimeDecoder().decode(first(signature, "DigestValue").getTextContent());
        var value = Base64.getMimeDecoder().decode(first(signature, "SignatureValue").getTextContent());
        var tokens = signature.getOwnerDocument().getElementsByTagNameNS("*", "BinarySecurityToken");
        var encoded = tokens.getLength() > 0 ? tokens.item(0) : first(signature, "X509Certificate");
        var factory = CertificateFactory.getInstance("X.509", BC);
        var octets = Base64.getMimeDecoder().decode(encoded.getTextContent());
        var certificate = factory.generateCertificate(new ByteArrayInputStream(octets));
        var verifier = Signature.getInstance(signatureName(bits(signature)), BC);
        verifier.initVerify(certificate.getPublicKey());
        verifier.update(canonical(first(signature, "SignedInfo"), null));
        var intact = MessageDigest.isEqual(digest, digestOf(reference, signature));
        return yes(verifier.verify(value) && intact);
    }

    /** document with a signature, private key, file: adds to the document and signs it anew. */
    private static String makeXml(String[] words) throws Exception {
        var document = parse(words[0]);
        var signature = first(document, "Signature");
        var root = document.getDocumentElement();
        root.insertBefore(document.createTextNode("ещё &amp; <слово> \r"), root.getFirstChild());
        var encoder = Base64.getEncoder();
        var digest = digestOf(first(signature, "Reference"), signature);
        first(signature, "DigestValue").setTextContent(encoder.encodeToString(digest));
        var signer = Signature.getInstance(signatureName(bits(signature)), BC);
        signer.initSign(privateKey(words[1]));
        signer.update(canonical(first(signature, "SignedInfo"), null));
        first(signature, "SignatureValue").setTextContent(encoder.encodeToString(signer.sign()));
        var written = new ByteArrayOutputStream();
        TransformerFactory.newInstance()
                .newTransformer()
                .transform(new DOMSource(document), new StreamResult(written));
        return write(words[2], written.toByteArray());
    }

    private static byte[] digestOf(Element reference, Element signature) throws Exception {
        var name = reference.getAttribute("URI");
        var document = reference.getOwnerDocument();
        var top = name.isEmpty() ? document : named(document.getDocumentElement(), name.substring(1));
        var digest = MessageDigest.getInstance("GOST3411-2012-" + bits(signature), BC);
        return digest.digest(canonical(top, signature));
    }

    private static int bits(Element signature) {
        var method = first(signature, "SignatureMethod").getAttribute("Algorithm");
        return method.endsWith("512") ? 512 : 256;
    }

    /** Returns the exclusive canonical form of a tree, without one branch. */
    private static byte[] canonical(Node top, Node without) throws Exception {
        if (top instanceof Element element) {
            inherit(element);
        }
        var nodes = new LinkedHashSet<Node>();
        gather(top, without, nodes);
        var service = TransformService.getInstance(CanonicalizationMethod.EXCLUSIVE, "DOM");
        service.init((TransformParameterSpec) null);
        NodeSetData<Node> data = nodes::iterator;
        var made = (OctetStreamData) service.transform(data, null);
        return made.getOctetStream().readAllBytes();
    }

    /** Declares on an element the prefixes that those above it declare: a set of nodes ends here. */
    private static void inherit(Element element) {
        for (var above = element.getParentNode();
                above instanceof Element;
                above = above.getParentNode()) {
            var attributes = above.getAttributes();
            for (var at = 0; at < attributes.getLength(); at++) {
                var each = (Attr) attributes.item(at);
                var isPrefix = XMLConstants.XMLNS_ATTRIBUTE_NS_URI.equals(each.getNamespaceURI());
                if (isPrefix && !element.hasAttribute(each.getName())) {
                    element.setAttributeNS(
                            XMLConstants.XMLNS_ATTRIBUTE_NS_URI, each.getName(), each.getValue());
                }
            }
        }
    }

    private static void gather(Node node, Node without, Set<Node> nodes) {
        if (node == without) {
            return;
        }
        nodes.add(node);
        var attributes = node.getAttributes();
        for (var at = 0; attributes != null && at < attributes.getLength(); at++) {
            nodes.add(attributes.item(at));
        }
        for (var child = node.getFirstChild(); child != null; child = child.getNextSibling()) {
            gather(child, without, nodes);
        }
    }

    private static Element named(Element top, String name) {
        var attributes = top.getAttributes();
        for (var at = 0; at < attributes.getLength(); at++) {
            var each = (Attr) attributes.item(at);
            if ("id".equalsIgnoreCase(each.getLocalName()) && name.equals(each.getValue())) {
                return top;
            }
        }
        for (var child = top.getFirstChild(); child != null; child = child.getNextSibling()) {
            var found = child instanceof Element below ? named(below, name) : null;
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private static Document parse(String file) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(Path.of(file).toFile());
    }

    private static Element first(Document document, String name) {
        return (Element) document.getElementsByTagNameNS(XMLSignature.XMLNS, name).item(0);
    }

    private static Element first(Element top, String name) {
        return (Element) top.getElementsByTagNameNS(XMLSignature.XMLNS, name).item(0);
    }

    // ---- parts

    private static SignerInfoGenerator signerInfo(String key, X509CertificateHolder certificate)
            throws Exception {
        var secret = privateKey(key);
        return new JcaSimpleSignerInfoGeneratorBuilder()
                .setProvider(BC)
                .build(algorithm(secret), secret, certificate);
    }

    private static ContentSigner signer(PrivateKey key) throws Exception {
        return new JcaContentSignerBuilder(algorithm(key)).setProvider(BC).build(key);
    }

    private static String algorithm(PrivateKey key) {
        var order = ((ECPrivateKey) key).getParameters().getN();
        return signatureName(order.bitLength() > 256 ? 512 : 256);
    }

    private static String signatureName(int bits) {
        return "GOST3411-2012-%dWITHECGOST3410-2012-%d".formatted(bits, bits);
    }

    @SuppressWarnings("unchecked") // a SignerId selects certificates, but does not say so
    private static Collection<X509CertificateHolder> holders(
            CMSSignedData data, SignerInformation signer) {
        return data.getCertificates().getMatches(signer.getSID());
    }

    private static ContentVerifierProvider verifier(X509CertificateHolder signer) throws Exception {
        return new JcaContentVerifierProviderBuilder().setProvider(BC).build(signer);
    }

    private static SignerInformationVerifier signerVerifier(X509CertificateHolder signer)
            throws Exception {
        return new JcaSimpleSignerInfoVerifierBuilder().setProvider(BC).build(signer);
    }

    private static PrivateKey privateKey(String file) throws Exception {
        return BouncyCastleProvider.getPrivateKey(PrivateKeyInfo.getInstance(read(file)));
    }

    private static X509CertificateHolder holder(String file) throws Exception {
        return new X509CertificateHolder(read(file));
    }

    private static X509Certificate certificateOf(String file) throws Exception {
        var factory = CertificateFactory.getInstance("X.509", BC);
        try (var stream = Files.newInputStream(Path.of(file))) {
            return (X509Certificate) factory.generateCertificate(stream);
        }
    }

    private static Collection<? extends Certificate> bundle(String file) throws Exception {
        var factory = CertificateFactory.getInstance("X.509", BC);
        try (var stream = Files.newInputStream(Path.of(file))) {
            return factory.generateCertificates(stream);
        }
    }

    private static byte[] read(String file) throws Exception {
        return Files.readAllBytes(Path.of(file));
    }

    private static String write(String file, byte[] octets) throws Exception {
        Files.write(Path.of(file), octets);
        return "yes";
    }

    private static String yes(boolean good) {
        return good ? "yes" : "no";
    }
}
