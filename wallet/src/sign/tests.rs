use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::FromHex;

use super::*;

fn key(hex: &str) -> SecretKey {
    SecretKey::from_slice(&<[u8; 32]>::from_hex(hex).unwrap()).unwrap()
}

/// Vectors of BIP340 (`test-vectors.csv`, 0 to 3): secret key, public key, auxiliary randomness, message, signature.
#[test]
fn bip340_vectors() {
    let secp = Secp256k1::new();
    for (secret, public, randomness, message, signature) in [
        (
            "0000000000000000000000000000000000000000000000000000000000000003",
            "F9308A019258C31049344F85F89D5229B531C845836F99B08601F113BCE036F9",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "E907831F80848D1069A5371B402410364BDF1C5F8307B0084C55F1CE2DCA821525F66A4A85EA8B71E482A74F382D2CE5EBEEE8FDB2172F477DF4900D310536C0",
        ),
        (
            "B7E151628AED2A6ABF7158809CF4F3C762E7160F38B4DA56A784D9045190CFEF",
            "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
            "0000000000000000000000000000000000000000000000000000000000000001",
            "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
            "6896BD60EEAE296DB48A229FF71DFE071BDE413E6D43F917DC8DCF8C78DE33418906D11AC976ABCCB20B091292BFF4EA897EFCB639EA871CFA95F6DE339E4B0A",
        ),
        (
            "C90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B14E5C9",
            "DD308AFEC5777E13121FA72B9CC1B7CC0139715309B086C960E18FD969774EB8",
            "C87AA53824B4D7AE2EB035A2B5BBBCCC080E76CDC6D1692C4B0B62D798E6D906",
            "7E2D58D8B3BCDF1ABADEC7829054F90DDA9805AAB56C77333024B9D0A508B75C",
            "5831AAEED7B44BB74E5EAB94BA9D4294C49BCF2A60728D8B4C200F50DD313C1BAB745879A5AD954A72C45A91C3A51D3C7ADEA98D82F8481E0E1E03674A6F3FB7",
        ),
        (
            "0B432B2677937381AEF05BB02A66ECD012773062CF3FA2549E44F58ED2401710",
            "25D1DFF95105F5253C4022F628A996AD3A0D95FBF21D468A1B33F8C160D8F517",
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
            "7EB0509757E246F19449885651611CB965ECC1A187DD51B64FDA1EDC9637D5EC97582B9CB13DB3933705B32BA982AF5AF25FD78881EBB32771FC5922EFC66EA3",
        ),
    ] {
        let keypair = key(secret).keypair(&secp);
        assert_eq!(keypair.x_only_public_key().0.to_string().to_uppercase(), public);
        let message = Message::from_digest(FromHex::from_hex(message).unwrap());
        let made = sign_schnorr(&secp, message, &keypair, &FromHex::from_hex(randomness).unwrap());
        assert_eq!(made.to_string().to_uppercase(), signature);
    }
}

/// The known vectors of RFC 6979 for secp256k1 and SHA-256: secret key, message, signature.
#[test]
fn rfc6979_vectors() {
    let secp = Secp256k1::new();
    let one = "0000000000000000000000000000000000000000000000000000000000000001";
    for (secret, message, signature) in [
        (
            one,
            "Satoshi Nakamoto",
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
        ),
        (
            one,
            "All those moments will be lost in time, like tears in rain. Time to die...",
            "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21",
        ),
        (
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
            "Satoshi Nakamoto",
            "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d06b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5",
        ),
        (
            "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181",
            "Alan Turing",
            "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea",
        ),
    ] {
        let message = Message::from_digest(sha256::Hash::hash(message.as_bytes()).to_byte_array());
        let made = sign_rfc6979(&secp, message, &key(secret), 0);
        assert_eq!(
            made.to_string(),
            secp_ecdsa::Signature::from_compact(&Vec::from_hex(signature).unwrap()).unwrap().to_string()
        );
    }
}

#[test]
fn ecdsa_signatures_all_have_the_same_length() {
    let secp = Secp256k1::new();
    let key = key("f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181");
    for number in 0..500_u32 {
        let message = Message::from_digest(sha256::Hash::hash(&number.to_le_bytes()).to_byte_array());
        let signature = sign_ecdsa(&secp, message, &key);
        assert_eq!(signature.serialize_der().len(), DER_LENGTH);
        assert!(signature.serialize_compact()[0] < 0x80, "R is low");
        secp.verify_ecdsa(&message, &signature, &key.public_key(&secp)).unwrap();
        assert_eq!(sign_ecdsa(&secp, message, &key), signature, "nothing is left to chance");
    }
}
